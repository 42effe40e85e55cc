function fig = roi_stream_gui(source, circles, file)
    % fig = ROI_STREAM_GUI(source, circles, file)  A small window: live picture, ROIs, traces, start and stop.
    %
    %   source   as for roi_stream; without it the kind is chosen in the window (demo disc, video file, camera)
    %   circles  K x 3 or the path of a ROI file; without it ROIs are drawn or loaded in the window
    %   file     the recording; default roi_stream_<date>.h5 in the current folder
    %
    % Draw ROI: click the centre of a cell, then a point on its edge. The picture and the traces are renewed ten times a
    % second at most; every frame is measured and recorded. Closing the window stops and finishes the recording.
    state = struct('source', [], 'circles', zeros(0, 3), 'file', '', 'run', [], 'history', [], 'handles', []);
    if nargin > 0
        state.source = roi_char(source);
    end
    if nargin > 1
        state.circles = roi_char(circles);
    end
    if nargin > 2
        state.file = roi_char(file);
    end
    fig = figure('Name', 'ROI Stream', 'NumberTitle', 'off', 'MenuBar', 'none', 'Color', [0.94 0.94 0.94], ...
                 'Position', [100 100 1100 560], 'CloseRequestFcn', @(source, varargin) close_window(source));
    state.ui = build(fig);
    guidata(fig, state);
    read_given_rois(fig);
    draw_rois(fig);
end

function read_given_rois(fig)
    state = guidata(fig);
    if ischar(state.circles)
        file = state.circles;
        state = with_source(fig);
        state.circles = roi_read_circles(file, [state.source.width state.source.height]);
        guidata(fig, state);
    end
end

function ui = build(fig)
    place = @(varargin) uicontrol(fig, 'Units', 'normalized', varargin{:});
    ui.preview = axes('Parent', fig, 'Units', 'normalized', 'Position', [0.04 0.20 0.46 0.72]);
    ui.traces = axes('Parent', fig, 'Units', 'normalized', 'Position', [0.57 0.20 0.41 0.72]);
    xlabel(ui.traces, 'time (s)');
    ylabel(ui.traces, 'mean (16 bit)');
    ui.kind = place('Style', 'popupmenu', 'Position', [0.04 0.06 0.16 0.05], ...
                    'String', {'demo disc', 'video file...', 'camera...'}, 'Callback', @(varargin) forget_source(fig));
    ui.load = place('Style', 'pushbutton', 'Position', [0.22 0.06 0.11 0.05], 'String', 'Load ROIs...', ...
                    'Callback', @(varargin) load_rois(fig));
    ui.draw = place('Style', 'pushbutton', 'Position', [0.34 0.06 0.10 0.05], 'String', 'Draw ROI', ...
                    'Callback', @(varargin) draw_one(fig));
    ui.start = place('Style', 'pushbutton', 'Position', [0.57 0.06 0.10 0.05], 'String', 'Start', ...
                     'Callback', @(varargin) start_run(fig));
    ui.stop = place('Style', 'pushbutton', 'Position', [0.68 0.06 0.10 0.05], 'String', 'Stop', 'Enable', 'off', ...
                    'Callback', @(varargin) stop_run(fig));
    ui.status = place('Style', 'text', 'Position', [0.04 0.005 0.94 0.045], 'HorizontalAlignment', 'left', ...
                      'String', 'Choose a source, draw or load ROIs, then Start.');
end

% --------------------------------------------------------------------------------------------------- source and ROIs

function forget_source(fig)
    state = guidata(fig);
    state.source = [];
    state.run = []; % it holds the source, and a camera that is held cannot be opened again
    guidata(fig, state);
end

function state = with_source(fig)
    % The source is asked for once, then kept until another kind is chosen. It may stay empty: the user thought better.
    state = guidata(fig);
    if isempty(state.source)
        state.source = chosen_source(state);
    elseif ischar(state.source)
        state.source = VideoFileSource(state.source);
    end
    guidata(fig, state);
end

function source = chosen_source(state)
    source = [];
    switch get(state.ui.kind, 'Value')
        case 1
            source = FakeSource(3600, 'Shape', [360 640], 'Radius', 30);
        case 2
            [name, folder] = uigetfile({'*.mp4;*.avi;*.mkv', 'Videos'}, 'Open a video');
            if ischar(name)
                source = VideoFileSource(fullfile(folder, name));
            end
        otherwise
            answer = inputdlg({'Adaptor', 'Device', 'Format'}, 'Camera', 1, {'winvideo', '1', ''});
            if ~isempty(answer)
                arguments_given = [answer(1), {str2double(answer{2})}, answer(3)];
                source = CameraSource(arguments_given{1:2 + ~isempty(answer{3})});
            end
    end
end

function load_rois(fig)
    [name, folder] = uigetfile({'*.csv', 'ROI files (*.csv)'}, 'Load ROIs');
    if ischar(name)
        state = with_source(fig);
        if ~isempty(state.source)
            add_rois(fig, roi_read_circles(fullfile(folder, name), [state.source.width state.source.height]));
        end
    end
end

function draw_one(fig)
    state = guidata(fig);
    try
        state = with_source(fig);
        if isempty(state.source)
            return
        end
        show_still(state);
    catch problem
        if ishghandle(fig)
            set(state.ui.status, 'String', problem.message);
        end
        return
    end
    draw_rois(fig);
    axes(state.ui.preview); %#ok<LAXES> ginput looks at the current axes
    [x, y] = ginput(2);
    if numel(x) == 2
        add_rois(fig, [x(1), y(1), hypot(diff(x), diff(y))]);
    end
end

function show_still(state)
    % One frame of the source, to draw on.
    state.source.start();
    closing = onCleanup(@() state.source.stop());
    picture = [];
    started = tic();
    while isempty(picture) && ~state.source.over() && toc(started) < 5 && ishghandle(state.ui.preview)
        picture = state.source.read();
        pause(0.01);
    end
    if isempty(picture)
        error('roi:source', ['%s gave no picture within 5 s; check its cable, its trigger and whether another ' ...
                             'program uses it, then draw again.'], state.source.name);
    end
    cla(state.ui.preview);
    picture = double(to_uint16_gray(picture));
    show_picture(state.ui.preview, picture, [0 max([picture(:); 1])]);
end

function handle = show_picture(ax, picture, limits)
    handle = image(picture, 'Parent', ax, 'CDataMapping', 'scaled');
    colormap(ax, gray(256));
    set(ax, 'CLim', limits, 'XLim', [0.5, size(picture, 2) + 0.5], 'YLim', [0.5, size(picture, 1) + 0.5], ...
        'YDir', 'reverse', 'DataAspectRatio', [1 1 1]);
end

function add_rois(fig, circles)
    state = guidata(fig);
    state.circles = [state.circles; circles];
    guidata(fig, state);
    draw_rois(fig);
end

function draw_rois(fig)
    state = guidata(fig);
    delete(findobj(state.ui.preview, 'Tag', 'roi'));
    if isempty(state.circles)
        return
    end
    hold(state.ui.preview, 'on');
    angle = linspace(0, 2 * pi, 60);
    colours = roi_colours(size(state.circles, 1));
    for k = 1:size(state.circles, 1)
        circle = state.circles(k, :);
        plot(state.ui.preview, circle(1) + circle(3) * cos(angle), circle(2) + circle(3) * sin(angle), ...
             'Color', colours(k, :), 'LineWidth', 2, 'Tag', 'roi');
    end
    hold(state.ui.preview, 'off');
    set(state.ui.preview, 'YDir', 'reverse', 'DataAspectRatio', [1 1 1]);
end

% ------------------------------------------------------------------------------------------------------- the recording

function start_run(fig)
    state = guidata(fig);
    try
        state = with_source(fig);
        if isempty(state.source)
            return
        end
        state = prepared(state, state.source);
        guidata(fig, state);
        draw_rois(fig);
        enable(state.ui, true);
        file = state.file;
        if isempty(file)
            file = ['roi_stream_' datestr(now(), 'yyyymmdd_HHMMSS') '.h5']; %#ok<TNOW1,DATST> GNU Octave has no datetime
        end
        run = roi_stream(state.source, state.circles, file, 'OnFrame', @(run) on_frame(fig, run));
        if ishghandle(fig)
            keep_run(fig, run);
            show_state(fig, run);
        end
    catch problem
        enable(state.ui, false);
        set(state.ui.status, 'String', problem.message);
    end
end

function state = prepared(state, source)
    % Picture and lines are made once; while frames come only their data is exchanged.
    if isempty(state.circles)
        state.circles = [source.width / 2, source.height / 2, min(source.width, source.height) / 4];
    end
    count = size(state.circles, 1);
    state.run = [];
    state.history = TraceHistory(600, count);
    cla(state.ui.preview);
    state.handles.picture = show_picture(state.ui.preview, zeros(source.height, source.width), [0 65535]);
    cla(state.ui.traces);
    hold(state.ui.traces, 'on');
    colours = roi_colours(count);
    handles = cell(1, count);
    for k = 1:count
        handles{k} = plot(state.ui.traces, NaN, NaN, 'Color', colours(k, :));
    end
    state.handles.traces = [handles{:}];
    hold(state.ui.traces, 'off');
    state.handles.drawn = tic();
end

function keep_run(fig, run)
    state = guidata(fig);
    state.run = run;
    guidata(fig, state);
end

function on_frame(fig, run)
    % For every frame the history; the screen ten times a second.
    state = guidata(fig);
    state.history.add(run.time, run.means);
    if isempty(state.run)
        state.run = run;
        guidata(fig, state);
    end
    if toc(state.handles.drawn) < 0.1
        return
    end
    state.handles.drawn = tic();
    guidata(fig, state);
    show_frame(state, run);
    drawnow();
    if ishghandle(fig)
        show_state(fig, run);
    end
end

function show_frame(state, run)
    set(state.handles.picture, 'CData', double(run.picture));
    [time, means] = state.history.recent();
    for k = 1:numel(state.handles.traces)
        set(state.handles.traces(k), 'XData', time, 'YData', means(:, k));
    end
    set(state.ui.traces, 'XLim', [time(1), max(time(end), time(1) + 1)]);
end

function show_state(fig, run)
    state = guidata(fig);
    lost = sprintf('%d lost', run.frames_dropped);
    if isnan(run.frames_dropped)
        lost = 'losses unknown';
    end
    set(state.ui.status, 'String', sprintf('%s: %d frames, %s, %.1f s -> %s %s', run.state, run.frames_seen, lost, ...
                                           run.time, run.file, run.detail));
    if ~run.running()
        enable(state.ui, false);
    end
end

function enable(ui, running)
    % While a recording runs its source and ROIs stay as they are.
    words = {'off', 'on'};
    set([ui.start ui.draw ui.load ui.kind], 'Enable', words{2 - running});
    set(ui.stop, 'Enable', words{1 + running});
end

function stop_run(fig)
    state = guidata(fig);
    if ~isempty(state.run)
        stop_roi_stream(state.run);
        show_state(fig, state.run);
    end
end

function close_window(fig)
    state = guidata(fig);
    if ~isempty(state.run)
        stop_roi_stream(state.run);
    end
    delete(fig);
end
