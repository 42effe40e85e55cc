function orientation = h5_traces_orientation(time_size, means_size, attributes)
    % orientation = H5_TRACES_ORIENTATION(time_size, means_size, attributes)  Who wrote the arrays: 'matlab' or
    % 'python'.
    %
    %   time_size, means_size  sizes of /time and /roi/means as MATLAB sees them
    %   attributes             struct of the root attributes
    %
    % 'matlab' is rows x K as MATLAB sees it, 'python' is K x rows. The number of times decides. Where it cannot (as
    % many ROIs as rows, or a file that was cut short between two datasets), the attributes orientation and coord_origin
    % do, then the shape of /time itself, then the side that is nearer to the number of times.
    rows = prod(time_size);
    means_size(end + 1:2) = 1;
    fits = means_size(1:2) == rows;
    if fits(1) ~= fits(2)
        python = fits(2);
    elseif isfield(attributes, 'orientation') && ischar(attributes.orientation)
        python = ~strcmp(attributes.orientation, 'matlab');
    elseif isfield(attributes, 'coord_origin') && any(strncmp(attributes.coord_origin, {'0', '1'}, 1))
        python = attributes.coord_origin(1) == '0';
    elseif rows > 1 && numel(time_size) > 1
        python = time_size(1) == 1;
    else
        python = abs(means_size(2) - rows) < abs(means_size(1) - rows);
    end
    names = {'matlab', 'python'};
    orientation = names{1 + python};
end
