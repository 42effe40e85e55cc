function info = h5info(file, path)
    % info = H5INFO(file, path)  MATLAB's h5info, for GNU Octave's tests: names, classes, sizes and attributes.
    if nargin < 2
        path = '/';
    end
    info = h5shim('info', file, path);
end
