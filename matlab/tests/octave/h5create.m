function h5create(file, path, dataset_size, varargin)
    % H5CREATE(file, path, size, 'Datatype', t, 'ChunkSize', c, 'Deflate', d)  MATLAB's h5create, for GNU Octave's
    % tests.
    options = struct('Datatype', 'double', 'ChunkSize', [], 'Deflate', 0);
    for k = 1:2:numel(varargin)
        if ~isfield(options, varargin{k})
            error('h5create:option', 'h5create: option ''%s'' is not supplied in the test shim.', varargin{k});
        end
        options.(varargin{k}) = varargin{k + 1};
    end
    h5shim('create', file, path, double(dataset_size), options.Datatype, double(options.ChunkSize), options.Deflate);
end
