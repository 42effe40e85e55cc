function tests = test_stream()
    tests = {@no_camera_here, @disc_follows_the_law, @test_video_has_900_frames, @fake_recording_is_right, ...
             @losses_are_counted, @max_frames, @stopped_from_on_frame, @failing_source_leaves_a_file, ...
             @source_that_does_not_start, @failing_window_does_not_matter, ...
             @equal_times_are_kept_apart, @timer_runs_it, @stop_without_argument, @video_file, @camera, ...
             @camera_colours_weigh_alike, @camera_is_set_free, @double_quoted_text};
end

function disc_follows_the_law()
    [~, centres] = bouncing_disc(0:899);
    check_equal(centres(1, :), [321 241]);
    check_equal(max(abs(abs(diff(centres(1:50, 1))) - 7)) < 1e-9, true, '7 px a frame');
    check_equal(abs(centres(2, 2) - 246.39) < 1e-9, true, '5.39 px a frame');
    check_equal(all(centres >= 61 - 1e-9 & centres <= [1220 660] + 1e-9), [true true], 'R from the border');
    check_equal(all(abs(diff(centres)) <= [7 5.39] + 1e-9), [true true], 'no jumps');
    [picture, centre] = bouncing_disc(100);
    [y, x] = find(picture);
    check_equal(norm([mean(x) mean(y)] - centre) < 0.1, true, 'the disc is where it says');
    check_equal(class(picture), 'uint8');
    check_equal(abs(nnz(picture) - pi * 60^2) < 40, true, 'area of R = 60');
end

function test_video_has_900_frames()
    leave = with_fakes(); %#ok<NASGU>
    file = make_test_video(scratch('v.mp4'));
    frames = dlmread(file, ' ');
    check_equal(size(frames, 1), 900);
    check_equal(unique(frames(:, 1:2), 'rows'), [60 255]);
end

function fake_recording_is_right()
    circles = [64 36 8; 200 200 5];
    run = roi_stream(FakeSource(90), circles, scratch('a.h5'), 'UseTimer', false);
    check_equal(run.state, 'completed');
    means = h5read(run.file, '/roi/means');
    check_equal(size(means), [90 2]);
    check_equal(all(isnan(means(:, 2))), true, 'a circle outside gives NaN');
    expected = zeros(90, 1, 'single');
    for k = 1:90
        picture = to_uint16_gray(bouncing_disc(k - 1, 'Shape', [72 128], 'Radius', 6));
        expected(k) = roi_compute_means(picture, roi_build_circle_indices(circles(1, :), [72 128]));
    end
    check_equal(means(:, 1), expected);
    check_equal(any(expected > 0), true, 'the disc crosses the circle');
    check_equal(h5read(run.file, '/time'), (0:89)' / 60);
    check_equal(h5readatt(run.file, '/', 'frames_dropped'), uint64(0));
    check_equal(h5readatt(run.file, '/', 'loss_basis'), 'camera');
end

function losses_are_counted()
    run = roi_stream(FakeSource(60, 'Lost', [0 10 11 40]), [64 36 8], scratch('a.h5'), 'UseTimer', false);
    check_equal(run.frames_seen, 56);
    check_equal(run.frames_dropped, 3);
    check_equal(h5readatt(run.file, '/', 'frames_dropped'), uint64(3));
    index = h5read(run.file, '/frame_index');
    check_equal(index(1:2)', int64([1 2]));
    check_equal(any(index == 10 | index == 11 | index == 40), false);
    check_equal(h5read(run.file, '/time', [1 1], [1 1]), 0);
end

function max_frames()
    run = roi_stream(FakeSource(1000), [64 36 8], scratch('a.h5'), 'UseTimer', false, 'MaxFrames', 25);
    check_equal(run.frames_seen, 25);
    check_equal(h5readatt(run.file, '/', 'rows'), uint64(25));
end

function stopped_from_on_frame()
    run = roi_stream(FakeSource(1000), [64 36 8], scratch('a.h5'), 'UseTimer', false, 'OnFrame', @stop_at_seven);
    check_equal(run.state, 'stopped');
    check_equal(h5readatt(run.file, '/', 'rows'), uint64(7));
    check_equal(h5readatt(run.file, '/', 'finish_reason'), 'stopped');
    stop_roi_stream(run);
    check_equal(run.state, 'stopped');
end

function stop_at_seven(run)
    if run.frames_seen == 7
        stop_roi_stream(run);
    end
end

function failing_source_leaves_a_file()
    quiet = silence(); %#ok<NASGU>
    run = roi_stream(FakeSource(60, 'FailAt', 33), [64 36 8], scratch('a.h5'), 'UseTimer', false);
    check_equal(run.state, 'failed');
    check_equal(h5readatt(run.file, '/', 'rows'), uint64(33));
    check_equal(h5readatt(run.file, '/', 'complete'), uint8(1));
    check_equal(h5readatt(run.file, '/', 'finish_reason'), 'failed: The fake camera fails at frame 33, as asked.');
end

function source_that_does_not_start()
    quiet = silence(); %#ok<NASGU>
    source = struct('name', 'broken', 'height', 72, 'width', 128, 'rate', 30, 'loss_basis', 'camera', ...
                    'start', @() error('no power'), 'stop', @() 0);
    run = roi_stream(source, [64 36 8], scratch('a.h5'), 'UseTimer', false);
    check_equal(h5readatt(run.file, '/', 'finish_reason'), 'failed: no power');
end

function failing_window_does_not_matter()
    quiet = silence(); %#ok<NASGU>
    run = roi_stream(FakeSource(20), [64 36 8], scratch('a.h5'), 'UseTimer', false, ...
                     'OnFrame', @(run) error('no window'));
    check_equal(run.state, 'completed');
    check_equal(run.frames_seen, 20);
end

function equal_times_are_kept_apart()
    run = roi_stream(FakeSource(5, 'Rate', Inf), [64 36 8], scratch('a.h5'), 'UseTimer', false);
    check_equal(run.state, 'completed');
    check_equal(all(diff(h5read(run.file, '/time')) > 0), true, 'time rises strictly');
end

function timer_runs_it()
    leave = with_fakes(); %#ok<NASGU>
    run = roi_stream(FakeSource(50), [64 36 8], scratch('a.h5'), 'UseTimer', true);
    check_equal(run.state, 'running');
    clock_timer = timers_in_test('list');
    clock_timer = clock_timer{1};
    for k = 1:200
        if run.running()
            clock_timer.fire();
        end
    end
    check_equal(run.state, 'completed');
    check_equal(h5readatt(run.file, '/', 'rows'), uint64(50));
    check_equal(isempty(timers_in_test('list')), true, 'the timer is gone');
end

function stop_without_argument()
    leave = with_fakes(); %#ok<NASGU>
    run = roi_stream(FakeSource(50), [64 36 8], scratch('a.h5'), 'UseTimer', true);
    stop_roi_stream();
    check_equal(run.state, 'stopped');
end

function video_file()
    leave = with_fakes(); %#ok<NASGU>
    file = scratch('v.mp4');
    fclose(fopen(file, 'w'));
    run = roi_stream(file, [64 36 8], scratch('a.h5'), 'UseTimer', false);
    check_equal(run.state, 'completed');
    check_equal(h5read(run.file, '/time'), (0:9)' / 50);
    check_equal(h5readatt(run.file, '/', 'source'), file);
    check_equal(h5readatt(run.file, '/', 'resolution'), int32([128; 72]));
    check_error(@() VideoFileSource('/no/such.mp4'), {'/no/such.mp4', 'does not exist'});
end

function camera()
    leave = with_fakes(); %#ok<NASGU>
    quiet = silence(); %#ok<NASGU>
    source = CameraSource('fake', 1, 'MONO8_128x72');
    check_equal(source.rate, 30);
    run = roi_stream(source, [64 36 8], scratch('a.h5'), 'UseTimer', false);
    check_equal(run.frames_seen, 7);
    check_equal(run.frames_dropped, 1);
    check_equal(run.state, 'failed');
    check_equal(run.detail, 'Camera fake 1 stopped by itself; check the cable and start again.');
    check_equal(h5readatt(run.file, '/', 'rows'), uint64(7));
end

function camera_colours_weigh_alike()
    leave = with_fakes(); %#ok<NASGU>
    quiet = silence(); %#ok<NASGU>
    cases = {'MONO8_128x72', 'grayscale'
             'RGB24_128x72', 'rgb'
             'YUY2_128x72', 'rgb'};
    [~, centre] = bouncing_disc(5, 'Shape', [72 128], 'Radius', 6);
    for k = 1:size(cases, 1)
        source = CameraSource('fake', 1, cases{k, 1});
        check_equal(source.input.ReturnedColorSpace, cases{k, 2}, cases{k, 1});
        run = roi_stream(source, [centre 3; 5 5 2], scratch('a.h5'), 'UseTimer', false);
        means = h5read(run.file, '/roi/means');
        check_equal(means(4, :), single([65535 0]), ['white and black of ' cases{k, 1}]);
    end
end

function camera_is_set_free()
    leave = with_fakes(); %#ok<NASGU>
    source = CameraSource('fake', 1, 'MONO8_128x72');
    input = source.input;
    source.start();
    check_equal(isrunning(input), true);
    source.delete();
    check_equal([isrunning(input) input.deleted], [false true]);
    source = CameraSource('fake', 1, 'MONO8_128x72');
    delete(source.input); % as imaqreset does
    source.delete();
end

function double_quoted_text()
    leave = with_fakes(); %#ok<NASGU>
    text = @in_double_quotes;
    video = scratch('v.mp4');
    fclose(fopen(video, 'w'));
    rois = scratch('rois.csv');
    id = fopen(rois, 'w');
    fprintf(id, 'xc,yc,r\n63,35,8\n');
    fclose(id);
    file = scratch('a.h5');
    run = roi_stream(text(video), text(rois), text(file), text('UseTimer'), false);
    check_equal(run.state, 'completed');
    check_equal(run.file, file);
    check_equal(h5readatt(file, '/', 'source'), video);
    traces = h5_traces_read(text(file));
    check_equal(traces.circles, [64 36 8]);
    check_equal(traces.file, file);
end

function no_camera_here()
    if ~isempty(which('videoinput'))
        error('roi:skip', 'the Image Acquisition Toolbox is here');
    end
    check_error(@() CameraSource('winvideo', 1), {'Image Acquisition Toolbox'});
end

function leave = with_fakes()
    folder = fullfile(fileparts(mfilename('fullpath')), 'fakes');
    addpath(folder);
    leave = onCleanup(@() rmpath(folder));
end

function restore = silence()
    before = warning('off', 'roi:stream');
    restore = onCleanup(@() warning(before));
end
