function [time, values] = h5_traces_thin(time, values, points)
    % [time, values] = H5_TRACES_THIN(time, values, points)  A trace with at most about 'points' points for the screen.
    %
    % Of each stretch the smallest and the largest value are kept, so that no spike gets lost. N x 1 in and out.
    stretch = ceil(2 * numel(time) / points);
    if stretch <= 2
        return
    end
    count = ceil(numel(time) / stretch);
    padded = nan(stretch * count, 1);
    padded(1:numel(values)) = values;
    [~, lowest] = min(reshape(padded, stretch, count), [], 1);
    [~, highest] = max(reshape(padded, stretch, count), [], 1);
    kept = sort([lowest; highest], 1) + stretch * (0:count - 1);
    kept = min(unique(kept(:)), numel(time));
    time = time(kept);
    values = values(kept);
end
