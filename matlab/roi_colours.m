function colours = roi_colours(count)
    % colours = ROI_COLOURS(count)  count x 3 RGB in 0..1, repeating after eight; all are seen on black and on white.
    palette = [0.12 0.62 0.90
               0.93 0.42 0.15
               0.90 0.70 0.10
               0.68 0.38 0.80
               0.42 0.72 0.22
               0.15 0.72 0.68
               0.90 0.30 0.42
               0.62 0.55 0.42];
    colours = palette(mod(0:count - 1, size(palette, 1)) + 1, :);
end
