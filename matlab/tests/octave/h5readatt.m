function value = h5readatt(file, path, name)
    % value = H5READATT(file, path, name)  MATLAB's h5readatt, for GNU Octave's tests.
    value = h5shim('readatt', file, path, name);
end
