function indices = roi_build_circle_indices(circles, frame_size)
    % indices = ROI_BUILD_CIRCLE_INDICES(circles, [H W])  The pixels of each circle.
    %
    %   circles  K x 3, rows [xc yc r] in px; MATLAB's coordinates: the centre of the top left pixel is (1, 1)
    %   indices  K x 1 cell; each holds the linear indices (n x 1 double, rising) into an H x W picture
    %
    % A pixel belongs to a circle when (x - xc)^2 + (y - yc)^2 <= r^2. Circles are cut off at the border of the picture;
    % one that lies outside gives an empty list. A pixel may belong to several circles.
    check_circles(circles);
    check_frame_size(frame_size);
    indices = cell(size(circles, 1), 1);
    for k = 1:numel(indices)
        indices{k} = circle(double(circles(k, :)), double(frame_size(1)), double(frame_size(2)));
    end
end

function check_circles(circles)
    if ~isnumeric(circles) || ~(size(circles, 2) == 3 || isempty(circles)) || ndims(circles) > 2
        error('roi:circles', ['The circles are a %s of size %s; a K x 3 array with rows [xc yc r] is needed. ' ...
                              'Transpose a 3 x K array first.'], class(circles), mat2str(size(circles)));
    end
    bad = [];
    if ~isempty(circles)
        bad = find(~all(isfinite(circles), 2) | circles(:, 3) < 0, 1);
    end
    if ~isempty(bad)
        error('roi:circles', ['Circle %d is %s; all three numbers must be finite and the radius 0 or more. ' ...
                              'Correct or remove this row.'], bad, mat2str(circles(bad, :)));
    end
end

function check_frame_size(frame_size)
    if ~isnumeric(frame_size) || numel(frame_size) ~= 2 || any(frame_size < 1) || any(frame_size ~= fix(frame_size))
        error('roi:frame_size', ['The frame size is %s; [height width] in whole pixels is needed. ' ...
                                 'Pass size(picture) of a gray picture.'], mat2str(frame_size));
    end
end

function found = circle(xyr, height, width)
    % One pixel wider than the radius on each side: rounding must not lose a pixel that lies on the boundary.
    x = max(1, floor(xyr(1) - xyr(3))):min(width, ceil(xyr(1) + xyr(3)));
    y = max(1, floor(xyr(2) - xyr(3))):min(height, ceil(xyr(2) + xyr(3)));
    [columns, rows] = meshgrid(x, y);
    inside = (columns - xyr(1)).^2 + (rows - xyr(2)).^2 <= xyr(3)^2;
    found = (columns(inside) - 1) * height + rows(inside);
    found = found(:);
end
