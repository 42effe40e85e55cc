function gray = to_uint16_gray(picture)
    % gray = TO_UINT16_GRAY(picture)  Any camera picture as 16-bit gray.
    %
    %   picture  H x W (gray), H x W x 3 (R, G, B) or H x W x 4 (the fourth channel is ignored), numeric or logical
    %   gray     H x W uint16
    %
    % uint8 is stretched by 257, uint16 is kept, logical becomes 0 or 65535. For every other class the largest value of
    % the picture tells the scale: up to 1 it is stretched by 65535, up to 255 by 257, beyond that the values are kept.
    % Rounding is half away from zero; NaN and negative values become 0; values above 65535 become 65535.
    check_picture(picture);
    if isempty(picture)
        gray = zeros(size(picture, 1), size(picture, 2) * (size(picture, 3) > 0), 'uint16');
        return
    end
    gray = scaled(picture(:, :, 1:min(3, size(picture, 3))));
    if size(gray, 3) == 3
        gray = weighted(gray);
    end
end

function check_picture(picture)
    if ~(isnumeric(picture) || islogical(picture)) || ~isreal(picture)
        error('roi:picture', ['The picture is of class %s; to_uint16_gray takes real numbers or logical. ' ...
                              'Convert it first, for example with double().'], class(picture));
    end
    if ndims(picture) > 3 || ~any(size(picture, 3) == [0 1 3 4])
        error('roi:picture', ['The picture is %s; to_uint16_gray takes H x W, H x W x 3 (R, G, B) or H x W x 4. ' ...
                              'Pass one picture at a time.'], size_text(picture));
    end
end

function text = size_text(array)
    text = sprintf('%d x ', size(array));
    text = text(1:end - 3);
end

function result = scaled(picture)
    switch class(picture)
        case 'uint16'
            result = picture;
        case 'uint8'
            result = uint16(picture) * 257;
        case 'logical'
            result = uint16(picture) * 65535;
        otherwise
            values = double(picture);
            values(isnan(values)) = 0;
            result = uint16(values * factor(max(values(:))));
    end
end

function scale = factor(largest)
    if largest <= 1
        scale = 65535;
    elseif largest <= 255
        scale = 257;
    else
        scale = 1;
    end
end

function gray = weighted(colour)
    colour = double(colour);
    gray = uint16(0.2989360213 * colour(:, :, 1) + 0.5870430745 * colour(:, :, 2) + 0.1140209043 * colour(:, :, 3));
end
