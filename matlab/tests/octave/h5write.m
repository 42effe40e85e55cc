function h5write(file, path, value, start, count)
    % H5WRITE(file, path, value, start, count)  MATLAB's h5write, for GNU Octave's tests; without start everything.
    if nargin < 4
        start = [];
        count = [];
    end
    h5shim('write', file, path, value, double(start), double(count));
end
