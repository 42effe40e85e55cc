function tests = test_to_uint16_gray()
    tests = {@golden_gray, @golden_colour, @fourth_channel_is_ignored, @empty_stays_empty,  ...
             @two_channels_are_refused, @text_is_refused, @shape_is_kept, @nan_only_is_black, ...
             @scale_looks_at_all_channels};
end

function golden_gray()
    vectors = golden('to_uint16_gray.json');
    for k = 1:numel(vectors.gray)
        vector = item(vectors.gray, k);
        seen = to_uint16_gray(as_class(numbers(vector.in), vector.dtype)');
        check_equal(seen, uint16(vector.out(:))', sprintf('gray vector %d (%s)', k, vector.dtype));
    end
end

function golden_colour()
    vectors = golden('to_uint16_gray.json');
    for k = 1:numel(vectors.colour)
        vector = item(vectors.colour, k);
        seen = to_uint16_gray(reshape(as_class(numbers(vector.rgb), vector.dtype), 1, 1, 3));
        check_equal(seen, uint16(vector.out), sprintf('colour vector %d (%s)', k, vector.dtype));
    end
end

function fourth_channel_is_ignored()
    colour = rand(3, 4, 3) * 200;
    check_equal(to_uint16_gray(cat(3, colour, 999 * ones(3, 4))), to_uint16_gray(colour));
end

function empty_stays_empty()
    check_equal(to_uint16_gray([]), zeros(0, 0, 'uint16'));
    check_equal(to_uint16_gray(zeros(0, 5, 3)), zeros(0, 5, 'uint16'));
    check_equal(isempty(to_uint16_gray(zeros(4, 5, 0))), true);
end

function two_channels_are_refused()
    check_error(@() to_uint16_gray(zeros(4, 5, 2)), {'4 x 5 x 2', 'H x W x 3'});
    check_error(@() to_uint16_gray(zeros(4, 5, 5)), {'4 x 5 x 5'});
end

function text_is_refused()
    check_error(@() to_uint16_gray('abc'), {'class char'});
    check_error(@() to_uint16_gray(1i), {'real'});
end

function shape_is_kept()
    check_equal(size(to_uint16_gray(zeros(7, 9, 'uint8'))), [7 9]);
    check_equal(size(to_uint16_gray(zeros(7, 9, 3, 'uint8'))), [7 9]);
end

function nan_only_is_black()
    check_equal(to_uint16_gray([NaN NaN]), uint16([0 0]));
end

function scale_looks_at_all_channels()
    check_equal(to_uint16_gray(reshape([0 0 300], 1, 1, 3)), uint16(34));
end

function vector = item(list, k)
    if iscell(list)
        vector = list{k};
    else
        vector = list(k);
    end
end

function values = numbers(list)
    % JSON has no NaN and no infinity; there they are words, and a list that holds a word is decoded to a cell.
    if ~iscell(list)
        values = double(list(:));
        return
    end
    values = zeros(numel(list), 1);
    for k = 1:numel(list)
        if ischar(list{k})
            values(k) = str2double(list{k});
        else
            values(k) = list{k};
        end
    end
end

function values = as_class(values, dtype)
    switch dtype
        case 'bool'
            values = logical(values);
        case 'float64'
            values = double(values);
        case 'float32'
            values = single(values);
        otherwise
            values = feval(dtype, values);
    end
end
