function traces = h5_traces_read(file)
    % traces = H5_TRACES_READ(file)  A recording as MATLAB likes it, whoever wrote it; also one that was cut short.
    %
    %   traces.time         N x 1 double, s since the first frame
    %   traces.frame_index  N x 1 int64, the camera's own count; a gap is a loss
    %   traces.means        N x K single, NaN where a ROI did not exist
    %   traces.dff          N x K single, or [] when it was not recorded
    %   traces.circles      K x 3 double, rows [xc yc r] in px, 1-based
    %   traces.names        1 x K cell of char
    %   traces.cells        [] when no cells were looked for, else a struct with, for each of M components,
    %                       ids 1 x M, status 1 x M (1 accepted, 2 rejected, 3 merged, 4 removed) and
    %                       calcium, spikes N x M single, NaN where a component did not exist
    %   traces.resolution   [W H] in px, or [] when the file does not say
    %   traces.complete     false when the writer did not come to its end
    %   traces.orientation  'matlab' or 'python': how the file lies on the disk (see h5_traces_orientation)
    %   traces.attributes   struct of the root attributes;  traces.file
    file = roi_char(file);
    found = contents(file);
    traces.file = file;
    traces.attributes = found.attributes;
    traces.orientation = h5_traces_orientation(found.size_of('/time'), found.size_of('/roi/means'), found.attributes);
    traces.complete = is_complete(found.attributes);
    traces = read_rows(traces, found);
    traces.circles = read_circles(traces, found);
    traces.names = read_names(traces, found);
    traces.cells = read_cells(traces, found);
    traces.resolution = [];
    if isfield(found.attributes, 'resolution')
        traces.resolution = double(found.attributes.resolution(:))';
    end
end

function found = contents(file)
    % found.attributes: struct; found.size_of: map from the path of each dataset to its size as MATLAB sees it.
    if ~exist(file, 'file')
        error('roi:recording', 'Recording %s does not exist; give the path of an .h5 file.', file);
    end
    try
        info = h5info(file);
    catch problem
        error('roi:recording', '%s is not an HDF5 file that can be opened: %s', file, problem.message);
    end
    found.attributes = struct();
    for k = 1:numel(info.Attributes)
        found.attributes.(matlab.lang.makeValidName(info.Attributes(k).Name)) = plain(info.Attributes(k).Value);
    end
    found.size_of = containers.Map();
    list_datasets(info, '', found.size_of);
    for path = {'/time', '/roi/means'}
        if ~isKey(found.size_of, path{1})
            error('roi:recording', '%s is not a recording: %s is missing.', file, path{1});
        end
    end
end

function value = plain(value)
    % MATLAB versions differ: text comes as char, as a cell or as a string.
    if iscell(value) && numel(value) == 1
        value = value{1};
    end
    if ~isnumeric(value) && ~iscell(value)
        value = char(value);
    end
end

function list_datasets(group, path, size_of)
    for k = 1:numel(group.Datasets)
        size_of([path '/' group.Datasets(k).Name]) = group.Datasets(k).Dataspace.Size; %#ok<NASGU> a map is a handle
    end
    for k = 1:numel(group.Groups)
        list_datasets(group.Groups(k), group.Groups(k).Name, size_of);
    end
end

function answer = is_complete(attributes)
    % Older tools did not write the attribute.
    answer = true;
    if isfield(attributes, 'complete')
        value = attributes.complete;
        answer = strcmpi(value, 'TRUE') || (isnumeric(value) && all(value ~= 0));
    end
end

function traces = read_rows(traces, found)
    % A file that was cut short may hold more rows of one dataset than of another.
    traces.time = reshape(read(traces.file, found, '/time'), [], 1);
    traces.means = read_matrix(traces, found, '/roi/means');
    traces.dff = read_matrix(traces, found, '/roi/dff');
    traces.frame_index = reshape(int64(read(traces.file, found, '/frame_index')), [], 1);
    rows = min(numel(traces.time), size(traces.means, 1));
    traces.time = traces.time(1:rows);
    traces.means = traces.means(1:rows, :);
    traces.dff = traces.dff(1:min(rows, end), :);
    traces.frame_index = traces.frame_index(1:min(rows, end));
    if numel(traces.frame_index) < rows
        traces.frame_index = int64(0:rows - 1)';
    end
    if size(traces.dff, 1) < rows
        traces.dff = [];
    end
end

function matrix = read_matrix(traces, found, path)
    matrix = read(traces.file, found, path);
    if strcmp(traces.orientation, 'python')
        matrix = matrix.';
    end
end

function value = read(file, found, path)
    % [] for a dataset that is not there; h5read does not like an empty one in every version of MATLAB.
    value = [];
    if ~isKey(found.size_of, path)
        return
    end
    extent = found.size_of(path);
    extent(end + 1:2) = 1;
    if any(extent == 0)
        value = zeros(extent);
    else
        value = h5read(file, path);
    end
end

function circles = read_circles(traces, found)
    circles = double(read_matrix(traces, found, '/roi/circles'));
    if size(circles, 2) ~= 3 && size(circles, 1) == 3
        circles = circles.';
    end
    origin = '1';
    if strcmp(traces.orientation, 'python')
        origin = '0';
    end
    if isfield(found.attributes, 'coord_origin')
        origin = found.attributes.coord_origin;
    end
    if strncmp(origin, '0', 1) && ~isempty(circles)
        circles(:, 1:2) = circles(:, 1:2) + 1;
    end
end

function cells = read_cells(traces, found)
    % Cells that the Python program found while it recorded.
    cells = [];
    if ~isKey(found.size_of, '/cnmf/calcium')
        return
    end
    cells.ids = reshape(double(read(traces.file, found, '/cnmf/ids')), 1, []);
    cells.status = reshape(double(read(traces.file, found, '/cnmf/status')), 1, []);
    cells.calcium = read_matrix(traces, found, '/cnmf/calcium');
    cells.spikes = read_matrix(traces, found, '/cnmf/spikes');
    rows = numel(traces.time);
    cells.calcium = cells.calcium(1:min(rows, end), :);
    cells.spikes = cells.spikes(1:min(rows, end), :);
end

function names = read_names(traces, found)
    % The names are in /roi/shapes, one JSON text for each ROI, when a Python program wrote the file.
    count = size(traces.means, 2);
    names = arrayfun(@(k) sprintf('ROI %d', k), 1:count, 'UniformOutput', false);
    if ~isKey(found.size_of, '/roi/shapes') || prod(found.size_of('/roi/shapes')) ~= count || count == 0
        return
    end
    texts = cellstr(h5read(traces.file, '/roi/shapes'));
    for k = 1:count
        shape = jsondecode(texts{k});
        if isfield(shape, 'name') && ~isempty(shape.name)
            names{k} = shape.name;
        end
    end
end
