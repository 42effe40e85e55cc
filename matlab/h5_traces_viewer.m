function fig = h5_traces_viewer(file)
    % fig = H5_TRACES_VIEWER(file)  Looks at a recording: where the ROIs lie and what they did.
    %
    % Left: the map of the ROIs (click one to choose it, again to put it back) and the list of their names. Right: the
    % chosen traces in a window of some seconds that the slider moves; one trace alone is drawn in its own units,
    % several are drawn above each other, each stretched to its own range. 'Export CSV' writes the chosen traces, all of
    % them or only what the window shows. Without an argument the file is asked for. The file may come from MATLAB or
    % Python and may be unfinished. Only figure and uicontrol are used, so that old MATLAB and GNU Octave open it too.
    if nargin < 1
        file = ask_for_file();
    end
    if isempty(file)
        fig = [];
        return
    end
    fig = figure('Name', 'ROI Stream - traces', 'NumberTitle', 'off', 'MenuBar', 'none', 'Color', [0.94 0.94 0.94], ...
                 'Position', [80 80 1160 640]);
    build(fig);
    open_file(fig, file);
end

function file = ask_for_file()
    file = '';
    [name, folder] = uigetfile({'*.h5;*.hdf5', 'Recordings (*.h5)'}, 'Open a recording');
    if ischar(name)
        file = fullfile(folder, name);
    end
end

function build(fig)
    place = @(varargin) uicontrol(fig, 'Units', 'normalized', varargin{:});
    ui.map = axes('Parent', fig, 'Units', 'normalized', 'Position', [0.045 0.50 0.29 0.43]);
    ui.traces = axes('Parent', fig, 'Units', 'normalized', 'Position', [0.43 0.17 0.55 0.76]);
    ui.list = place('Style', 'listbox', 'Position', [0.02 0.115 0.32 0.29], 'Max', 2, 'Min', 0, ...
                    'Callback', @(varargin) list_changed(fig));
    ui.all = place('Style', 'pushbutton', 'String', 'All', 'Position', [0.02 0.06 0.075 0.045], ...
                   'Callback', @(varargin) choose(fig, Inf));
    ui.open = place('Style', 'pushbutton', 'String', 'Open...', 'Position', [0.10 0.06 0.085 0.045], ...
                    'Callback', @(varargin) open_file(fig, ask_for_file()));
    ui.export = place('Style', 'pushbutton', 'String', 'Export CSV...', 'Position', [0.19 0.06 0.15 0.045], ...
                      'Callback', @(varargin) export(fig));
    ui.only = place('Style', 'checkbox', 'String', 'export only the window shown', 'Position', [0.02 0.01 0.32 0.04]);
    place('Style', 'text', 'String', 'Window (s)', 'Position', [0.40 0.015 0.10 0.04]);
    ui.length = place('Style', 'edit', 'String', '20', 'Position', [0.50 0.015 0.07 0.045], ...
                      'Callback', @(varargin) draw_traces(fig));
    ui.slider = place('Style', 'slider', 'Position', [0.59 0.02 0.39 0.035], 'Min', 0, 'Max', 1, 'Value', 0, ...
                      'Callback', @(varargin) draw_traces(fig));
    ui.title = place('Style', 'text', 'String', '', 'Position', [0.02 0.955 0.96 0.04], ...
                     'HorizontalAlignment', 'left');
    guidata(fig, struct('ui', ui, 'recording', [], 'chosen', []));
end

function open_file(fig, file)
    if isempty(file)
        return
    end
    state = guidata(fig);
    try
        state.recording = h5_traces_read(file);
    catch problem
        errordlg(problem.message, 'ROI Stream');
        return
    end
    state.chosen = 1:min(5, size(state.recording.means, 2));
    set(state.ui.title, 'String', summary(state.recording));
    set(state.ui.list, 'Value', [], 'String', state.recording.names);
    set(state.ui.list, 'Value', state.chosen);
    set(state.ui.slider, 'Value', 0);
    guidata(fig, state);
    draw_map(fig);
    draw_traces(fig);
end

function text = summary(recording)
    seconds = 0;
    if ~isempty(recording.time)
        seconds = recording.time(end);
    end
    text = sprintf('%s: %d ROIs, %d frames, %.1f s', recording.file, size(recording.means, 2), ...
                   numel(recording.time), seconds);
    if ~recording.complete
        text = [text ' - unfinished: the writer did not come to its end'];
    end
end

% ---------------------------------------------------------------------------------------------------- what is chosen

function list_changed(fig)
    state = guidata(fig);
    choose(fig, get(state.ui.list, 'Value'));
end

function choose(fig, columns)
    % Shows these traces; Inf stands for all.
    state = guidata(fig);
    if isequal(columns, Inf)
        columns = 1:size(state.recording.means, 2);
    end
    state.chosen = columns;
    set(state.ui.list, 'Value', columns);
    guidata(fig, state);
    draw_map(fig);
    draw_traces(fig);
end

function map_clicked(fig)
    state = guidata(fig);
    point = get(state.ui.map, 'CurrentPoint');
    circles = state.recording.circles;
    distance = sqrt(sum((circles(:, 1:2) - point(1, 1:2)).^2, 2));
    distance(distance > max(circles(:, 3), 3)) = Inf;
    [nearest, hit] = min(distance);
    if ~isempty(nearest) && isfinite(nearest)
        choose(fig, setxor(state.chosen(:)', hit));
    end
end

% ------------------------------------------------------------------------------------------------------------ drawing

function draw_map(fig)
    state = guidata(fig);
    recording = state.recording;
    extent = map_extent(recording);
    cla(state.ui.map);
    hold(state.ui.map, 'on');
    clicked = @(varargin) map_clicked(fig);
    colours = roi_colours(size(recording.circles, 1));
    angle = linspace(0, 2 * pi, 60);
    for k = 1:size(recording.circles, 1)
        style = {'Color', [0.2 0.65 0.75], 'LineWidth', 1};
        if any(state.chosen == k)
            style = {'Color', colours(k, :), 'LineWidth', 2};
        end
        circle = recording.circles(k, :);
        plot(state.ui.map, circle(1) + circle(3) * cos(angle), circle(2) + circle(3) * sin(angle), style{:}, ...
             'ButtonDownFcn', clicked);
        text(circle(1), circle(2), sprintf('%d', k), 'Parent', state.ui.map, style{1:2}, 'FontSize', 9, ...
             'HorizontalAlignment', 'center', 'ButtonDownFcn', clicked);
    end
    hold(state.ui.map, 'off');
    set(state.ui.map, 'YDir', 'reverse', 'DataAspectRatio', [1 1 1], 'XLim', [0.5 extent(1) + 0.5], ...
        'YLim', [0.5 extent(2) + 0.5], 'Box', 'on', 'ButtonDownFcn', clicked);
    xlabel(state.ui.map, 'x (px)');
    ylabel(state.ui.map, 'y (px)');
end

function extent = map_extent(recording)
    % [W H] of the frame; of the circles when the file does not tell.
    extent = recording.resolution;
    if numel(extent) ~= 2 || any(extent < 1)
        extent = [1 1];
        if ~isempty(recording.circles)
            extent = max(max(recording.circles(:, 1:2) + recording.circles(:, 3), [], 1), 1);
        end
    end
end

function draw_traces(fig)
    state = guidata(fig);
    recording = state.recording;
    window = shown_window(state);
    rows = recording.time >= window(1) & recording.time <= window(2);
    cla(state.ui.traces);
    hold(state.ui.traces, 'on');
    colours = roi_colours(size(recording.means, 2));
    count = numel(state.chosen);
    for k = 1:count
        column = state.chosen(k);
        values = stacked(double(recording.means(rows, column)), count, count - k);
        [time, values] = h5_traces_thin(recording.time(rows), values, 4000);
        plot(state.ui.traces, time, values, 'Color', colours(column, :));
    end
    hold(state.ui.traces, 'off');
    set(state.ui.traces, 'XLim', window, 'Box', 'on');
    label_axis(state.ui.traces, recording.names(state.chosen));
    xlabel(state.ui.traces, 'time (s)');
end

function values = stacked(values, count, floor_number)
    % One trace keeps its units; of several each fills 0.9 of a floor of its own.
    if count > 1
        low = min(values);
        range = max(values) - low;
        if ~(range > 0)
            range = 1;
        end
        values = 0.05 + 0.9 * (values - low) / range + floor_number;
    end
end

function label_axis(ax, names)
    count = numel(names);
    if count > 1
        set(ax, 'YLim', [0 count], 'YTick', (1:count) - 0.5, 'YTickLabel', names(end:-1:1), ...
            'TickLabelInterpreter', 'none');
        ylabel(ax, '');
    else
        set(ax, 'YLimMode', 'auto', 'YTickMode', 'auto', 'YTickLabelMode', 'auto');
        ylabel(ax, [names{:} ' (mean, 16 bit)'], 'Interpreter', 'none');
    end
end

function window = shown_window(state)
    % [from to] in s, from the slider and the length that was typed.
    last = max([state.recording.time; 0]);
    length_s = str2double(get(state.ui.length, 'String'));
    if ~(length_s > 0)
        length_s = 20;
        set(state.ui.length, 'String', '20');
    end
    from = get(state.ui.slider, 'Value') * max(0, last - length_s);
    window = [from, from + length_s];
end

function export(fig)
    state = guidata(fig);
    [~, stem] = fileparts(state.recording.file);
    [name, folder] = uiputfile({'*.csv', 'Table (*.csv)'}, 'Export the chosen traces', [stem '.csv']);
    if ~ischar(name)
        return
    end
    window = [-Inf Inf];
    if get(state.ui.only, 'Value')
        window = shown_window(state);
    end
    try
        h5_traces_export_csv(state.recording, fullfile(folder, name), 'Columns', state.chosen, 'Window', window);
    catch problem
        errordlg(problem.message, 'ROI Stream');
    end
end
