function tests = test_gui()
    % Before test_stream in the alphabet: Octave must not know the fake timer yet, so that its plain loop is tested
    % here.
    tests = {@records, @draws_a_roi, @shows_a_failure, @camera_without_a_picture, @takes_double_quoted_text};
end

function records()
    leave = needs_display(); %#ok<NASGU>
    file = scratch('g.h5');
    fig = roi_stream_gui(FakeSource(120, 'Lost', 7), [64 36 8; 20 20 5], file);
    closing = onCleanup(@() close(fig)); %#ok<NASGU>
    state = guidata(fig);
    record(fig);
    state = guidata(fig);
    check_equal(state.run.state, 'completed');
    check_equal(isempty(strfind(get(state.ui.status, 'String'), 'completed: 119 frames, 1 lost')), false); %#ok<STREMP>
    check_equal(get(state.ui.start, 'Enable'), 'on');
    check_equal(get(state.ui.stop, 'Enable'), 'off');
    [~, means] = state.history.recent();
    check_equal(single(means), h5read(file, '/roi/means'));
    record(fig);
    state = guidata(fig);
    check_equal(state.run.file, strrep(file, 'g.h5', 'g_2.h5'), 'the second recording has its own file');
end

function draws_a_roi()
    leave = needs_display(); %#ok<NASGU>
    file = scratch('g.h5');
    fig = roi_stream_gui(FakeSource(10), [], file);
    closing = onCleanup(@() close(fig)); %#ok<NASGU>
    state = guidata(fig);
    press(state.ui.draw);
    record(fig);
    check_equal(h5read(file, '/roi/circles'), [40 30 5]);
end

function shows_a_failure()
    leave = needs_display(); %#ok<NASGU>
    fig = roi_stream_gui('/no/such.mp4', [5 5 2], scratch('g.h5'));
    closing = onCleanup(@() close(fig)); %#ok<NASGU>
    state = guidata(fig);
    press(state.ui.start);
    text = get(state.ui.status, 'String');
    check_equal(isempty(strfind(text, '/no/such.mp4 does not exist')), false, 'the sentence is shown'); %#ok<STREMP>
    check_equal(get(state.ui.start, 'Enable'), 'on');
end

function camera_without_a_picture()
    leave = needs_display(); %#ok<NASGU>
    silent = struct('name', 'silent', 'height', 72, 'width', 128, 'rate', 30, 'loss_basis', 'camera', ...
                    'start', @() 0, 'stop', @() 0, 'over', @() false, 'read', @() []);
    fig = roi_stream_gui(silent, [5 5 2], scratch('g.h5'));
    closing = onCleanup(@() close(fig)); %#ok<NASGU>
    state = guidata(fig);
    started = tic();
    press(state.ui.draw);
    check_equal(toc(started) < 15, true, 'it does not wait for ever');
    check_equal(strncmp(get(state.ui.status, 'String'), 'silent gave no picture', 22), true, 'the sentence is shown');
    state = guidata(fig);
    check_equal(state.circles, [5 5 2], 'nothing was drawn');
end

function takes_double_quoted_text()
    leave = needs_display(); %#ok<NASGU>
    text = @in_double_quotes;
    rois = scratch('rois.csv');
    id = fopen(rois, 'w');
    fprintf(id, 'xc,yc,r\n63,35,8\n');
    fclose(id);
    fig = roi_stream_gui(FakeSource(10), text(rois), text(scratch('g.h5')));
    closing = onCleanup(@() close(fig)); %#ok<NASGU>
    state = guidata(fig);
    check_equal(state.circles, [64 36 8]);
    check_equal(class(state.file), 'char');
end

function record(fig)
    % With a timer the button returns at once.
    state = guidata(fig);
    press(state.ui.start);
    state = guidata(fig);
    while state.run.running()
        pause(0.05);
    end
    drawnow();
end
