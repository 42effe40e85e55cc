function tests = test_h5shim()
    tests = {@grows_and_reads_back, @all_number_classes, @parts, @one_dimension, @attributes, @info_names_and_sizes, ...
             @errors_are_sentences};
end

function grows_and_reads_back()
    file = scratch('a.h5');
    h5create(file, '/deep/er/x', [Inf 3], 'Datatype', 'single', 'ChunkSize', [4 3]);
    first = single(rand(5, 3));
    second = single(rand(2, 3));
    h5write(file, '/deep/er/x', first, [1 1], [5 3]);
    h5write(file, '/deep/er/x', second, [6 1], [2 3]);
    check_equal(h5read(file, '/deep/er/x'), [first; second]);
end

function all_number_classes()
    file = scratch('a.h5');
    classes = {'double', 'single', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'};
    for k = 1:numel(classes)
        path = ['/' classes{k}];
        value = feval(classes{k}, reshape(1:24, 2, 3, 4));
        h5create(file, path, size(value), 'Datatype', classes{k});
        h5write(file, path, value);
        check_equal(h5read(file, path), value);
    end
    big = intmax('uint64') - uint64(1);
    h5create(file, '/big', [1 1], 'Datatype', 'uint64');
    h5write(file, '/big', big);
    check_equal(h5read(file, '/big'), big);
end

function parts()
    file = scratch('a.h5');
    value = magic(6);
    h5create(file, '/x', [6 6]);
    h5write(file, '/x', value);
    check_equal(h5read(file, '/x', [2 3], [4 2]), value(2:5, 3:4));
    check_equal(h5read(file, '/x', [2 3], [Inf 1]), value(2:6, 3));
    h5write(file, '/x', [-1; -2], [1 1], [2 1]);
    check_equal(h5read(file, '/x', [1 1], [3 1]), [-1; -2; value(3, 1)]);
end

function one_dimension()
    file = scratch('a.h5');
    h5create(file, '/x', Inf, 'Datatype', 'int64', 'ChunkSize', 10);
    check_equal(h5read(file, '/x'), zeros(0, 1, 'int64'));
    h5write(file, '/x', int64(1:3), 1, 3);
    check_equal(h5read(file, '/x'), int64(1:3)');
end

function attributes()
    file = scratch('a.h5');
    h5create(file, '/x', [1 1]);
    h5writeatt(file, '/', 'text', 'first');
    h5writeatt(file, '/', 'text', 'a longer one');
    h5writeatt(file, '/', 'pair', int32([3 4]));
    h5writeatt(file, '/x', 'one', pi);
    check_equal(h5readatt(file, '/', 'text'), 'a longer one');
    check_equal(h5readatt(file, '/', 'pair'), int32([3; 4]));
    check_equal(h5readatt(file, '/x', 'one'), pi);
end

function info_names_and_sizes()
    file = scratch('a.h5');
    h5create(file, '/g/x', [Inf 3], 'ChunkSize', [2 3]);
    h5writeatt(file, '/', 'n', 5);
    info = h5info(file);
    check_equal(info.Attributes(1).Name, 'n');
    check_equal(info.Groups(1).Name, '/g');
    check_equal(info.Groups(1).Datasets(1).Name, 'x');
    check_equal(info.Groups(1).Datasets(1).Dataspace.Size, [0 3]);
    check_equal(info.Groups(1).Datasets(1).Dataspace.MaxSize, [Inf 3]);
    dataset = h5info(file, '/g/x');
    check_equal(dataset.Dataspace.Size, [0 3]);
end

function errors_are_sentences()
    file = scratch('a.h5');
    check_error(@() h5read(file, '/x'), {'missing', 'HDF5'});
    h5create(file, '/x', [2 2]);
    check_error(@() h5read(file, '/y'), {'/y', 'is not in'});
    check_error(@() h5write(file, '/x', 1:3), {'3 values', '4 places'});
    check_error(@() h5write(file, '/x', [1 2 3], [3 1], [3 1]), {'grow'});
    check_error(@() h5create(file, '/z', [Inf 1]), {'ChunkSize'});
    check_error(@() h5create(file, '/x', [2 2]), {'exist'});
    check_error(@() h5readatt(file, '/x', 'no'), {'no attribute'});
end
