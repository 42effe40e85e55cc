function [picture, centre] = bouncing_disc(k, varargin)
    % [picture, centre] = BOUNCING_DISC(k, 'Shape', [H W], 'Radius', r, ...)  Frame k of the disc with known motion.
    %
    %   k        0, 1, 2, ... frames; several at once give the centres only
    %   picture  H x W uint8, a white disc (255) on black
    %   centre   numel(k) x 2, px, [x y] in MATLAB's coordinates (the centre of the top left pixel is (1, 1))
    %
    % The defaults are those of test_circle_1280x720_60fps.mp4: 720 x 1280, R = 60, start (320, 240) counted from 0,
    % 7 and 5.39 px per frame. The centre is mirrored at R from the border, so that the disc never leaves the picture.
    geometry = roi_options(struct('Shape', [720 1280], 'Radius', 60, 'Start', [320 240], 'Step', [7 5.39]), varargin);
    radius = geometry.Radius;
    k = double(k(:));
    x = mirrored(geometry.Start(1) + geometry.Step(1) * k, radius, geometry.Shape(2) - 1 - radius);
    y = mirrored(geometry.Start(2) + geometry.Step(2) * k, radius, geometry.Shape(1) - 1 - radius);
    centre = [x y] + 1;
    picture = [];
    if numel(k) == 1
        pixels = roi_build_circle_indices([centre radius], geometry.Shape);
        picture = zeros(geometry.Shape, 'uint8');
        picture(pixels{1}) = 255;
    end
end

function place = mirrored(place, low, high)
    % Where a point is that runs straight on but is mirrored at low and high.
    span = high - low;
    place = low + span - abs(span - mod(place - low, 2 * span));
end
