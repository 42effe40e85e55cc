function tests = test_viewer_window()
    tests = {@shows_and_exports, @map_is_clicked};
end

function shows_and_exports()
    [fig, leave] = opened_viewer(); %#ok<ASGLU>
    state = guidata(fig);
    check_equal(numel(findobj(state.ui.traces, 'Type', 'line')), 3, 'traces drawn');
    check_equal(get(state.ui.traces, 'XLim'), [0 20]);
    set(state.ui.length, 'String', '2');
    set(state.ui.slider, 'Value', 1);
    press(state.ui.slider);
    limits = get(state.ui.traces, 'XLim');
    check_equal(abs(limits - [7.98 9.98]) < 1e-9, [true true], 'the last two seconds');
    set(state.ui.list, 'Value', 2);
    press(state.ui.list);
    check_equal(numel(findobj(state.ui.traces, 'Type', 'line')), 1);
    set(state.ui.only, 'Value', 1);
    press(state.ui.export);
    table = fileread(fullfile(getenv('ROI_STREAM_TEST_FOLDER'), 'chosen.csv'));
    lines = strsplit(strtrim(table), sprintf('\r\n'));
    check_equal(lines{1}, 'time_s,frame_index,ROI 2');
    check_equal(numel(lines), 1 + 101);
    press(state.ui.all);
    check_equal(numel(findobj(state.ui.traces, 'Type', 'line')), 3);
    set(state.ui.length, 'String', 'nonsense');
    press(state.ui.length);
    check_equal(get(state.ui.length, 'String'), '20');
end

function map_is_clicked()
    [fig, leave] = opened_viewer(); %#ok<ASGLU>
    state = guidata(fig);
    check_equal(get(state.ui.map, 'XLim'), [0.5 128.5]);
    check_equal(get(state.ui.map, 'YLim'), [0.5 72.5]);
    set(state.ui.map, 'CurrentPoint', [20 11 1; 20 11 -1]);
    press(state.ui.map, 'ButtonDownFcn');
    state = guidata(fig);
    check_equal(state.chosen, [1 3]);
    set(state.ui.map, 'CurrentPoint', [120 60 1; 120 60 -1]);
    press(state.ui.map, 'ButtonDownFcn');
    state = guidata(fig);
    check_equal(state.chosen, [1 3], 'a click beside the circles');
end

function [fig, leave] = opened_viewer()
    leave = needs_display();
    writer = H5TracesWriter(scratch('a.h5'), [10 10 3; 20 10 3; 30 10 3], 'Resolution', [128 72]);
    for k = 0:499
        writer.write(k / 50, k, k + [0 1000 2000]);
    end
    writer.close('completed');
    fig = h5_traces_viewer(writer.file);
    leave = {onCleanup(@() close(fig)), leave};
end
