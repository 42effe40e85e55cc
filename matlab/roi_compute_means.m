function means = roi_compute_means(picture, indices)
    % means = ROI_COMPUTE_MEANS(picture, indices)  The mean of the picture in each ROI.
    %
    %   picture  H x W gray picture, usually uint16 from to_uint16_gray
    %   indices  K x 1 cell from roi_build_circle_indices
    %   means    1 x K single, in the picture's units; NaN for a ROI without pixels
    %
    % Sums are double, so that a large ROI of bright pixels loses nothing.
    if ~iscell(indices)
        error('roi:indices', ['The indices are a %s; a cell array from roi_build_circle_indices is needed. ' ...
                              'Wrap a single list as {list}.'], class(indices));
    end
    means = nan(1, numel(indices), 'single');
    for k = 1:numel(indices)
        means(k) = sum(double(picture(indices{k}))) / numel(indices{k});
    end
end
