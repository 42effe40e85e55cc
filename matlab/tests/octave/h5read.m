function value = h5read(file, path, start, count)
    % value = H5READ(file, path, start, count)  MATLAB's h5read, for GNU Octave's tests; without start everything.
    if nargin < 3
        start = [];
        count = [];
    end
    value = h5shim('read', file, path, double(start), double(count));
end
