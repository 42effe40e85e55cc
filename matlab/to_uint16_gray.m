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
    picture = picture(:, :, 1:min(3, size(picture, 3)));
    if isa(picture, 'uint16') && size(picture, 3) == 1
        gray = picture;
    else
        gray = uint16(weighted(picture) * factor(picture));
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

function values = weighted(picture)
    values = double(picture);
    if size(values, 3) == 3
        values = 0.2989360213 * values(:, :, 1) + 0.5870430745 * values(:, :, 2) + 0.1140209043 * values(:, :, 3);
    end
end

function scale = factor(picture)
    if islogical(picture)
        scale = 65535;
    elseif isa(picture, 'uint8')
        scale = 257;
    elseif isa(picture, 'uint16')
        scale = 1;
    else
        scale = factor_of(double(max(picture(:)))); % max leaves NaN out
    end
end

function scale = factor_of(largest)
    if isnan(largest) || largest <= 1
        scale = 65535;
    elseif largest <= 255
        scale = 257;
    else
        scale = 1;
    end
end
