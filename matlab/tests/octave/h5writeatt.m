function h5writeatt(file, path, name, value)
    % H5WRITEATT(file, path, name, value)  MATLAB's h5writeatt, for GNU Octave's tests.
    h5shim('writeatt', file, path, name, value);
end
