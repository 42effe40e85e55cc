function tests = test_viewer_core()
    tests = {@reads_our_own_file, @reads_python_orientation, @orientation_table, @cut_short, @no_recording, ...
             @csv_table, @csv_window_and_columns, @csv_quotes_and_nan, @thinning_keeps_extremes, @roi_files};
end

function reads_our_own_file()
    traces = h5_traces_read(recording(50, 3));
    check_equal(traces.orientation, 'matlab');
    check_equal(size(traces.means), [50 3]);
    check_equal(traces.time, (0:49)' / 50);
    check_equal(traces.frame_index, int64(0:49)');
    check_equal(traces.circles(2, :), [20 10 3]);
    check_equal(traces.names, {'ROI 1', 'ROI 2', 'ROI 3'});
    check_equal(traces.complete, true);
    check_equal(traces.resolution, [128 72]);
    check_equal(traces.dff, []);
end

function reads_python_orientation()
    % As many rows as ROIs, three of them: nothing but the attributes tells how it lies.
    means = single([1 2 3; 4 5 6; 7 8 9]);
    file = scratch('p.h5');
    put(file, '/time', [0 1 2]);
    put(file, '/roi/means', means.');
    put(file, '/roi/circles', [10 20 30; 1 2 3; 5 6 7].');
    h5writeatt(file, '/', 'coord_origin', '0-based, pixel centre, top left');
    traces = h5_traces_read(file);
    check_equal(traces.orientation, 'python');
    check_equal(traces.means, means);
    check_equal(traces.circles, [11 21 30; 2 3 3; 6 7 7]);
end

function orientation_table()
    none = struct();
    zero = struct('coord_origin', '0-based, pixel centre');
    one = struct('coord_origin', '1-based');
    cases = {[100 1], [100 5], none, 'matlab'
             [1 100], [5 100], none, 'python'
             [1 100], [100 5], zero, 'matlab'
             [100 1], [5 100], one, 'python'
             [5 1], [5 5], none, 'matlab'
             [1 5], [5 5], none, 'python'
             [1 5], [5 5], one, 'matlab'
             [5 1], [5 5], zero, 'python'
             [5 1], [5 5], struct('orientation', 'python', 'coord_origin', '1'), 'python'
             [1 1], [1 1], zero, 'python'
             [1 1], [1 1], none, 'matlab'
             100, [5 100], none, 'python'
             100, 100, none, 'matlab'
             [1 100], [5 99], zero, 'python'
             100, [5 99], none, 'python'
             [0 1], [0 5], none, 'matlab'};
    for k = 1:size(cases, 1)
        check_equal(h5_traces_orientation(cases{k, 1:3}), cases{k, 4}, sprintf('case %d', k));
    end
end

function cut_short()
    file = scratch('p.h5');
    put(file, '/time', 0:9);
    put(file, '/roi/means', single(ones(2, 12)));
    put(file, '/roi/circles', [10 20 30; 1 2 3].');
    h5writeatt(file, '/', 'coord_origin', '0-based');
    h5writeatt(file, '/', 'complete', uint8(0));
    traces = h5_traces_read(file);
    check_equal(size(traces.means), [10 2]);
    check_equal(traces.complete, false);
    check_equal(traces.frame_index, int64(0:9)');
end

function no_recording()
    check_error(@() h5_traces_read('/no/such.h5'), {'/no/such.h5', 'does not exist'});
    check_error(@() h5_traces_read([mfilename('fullpath') '.m']), {'not an HDF5 file'});
    file = scratch('x.h5');
    put(file, '/time', 1:3);
    check_error(@() h5_traces_read(file), {'not a recording', '/roi/means is missing'});
end

function csv_table()
    traces = h5_traces_read(recording(3, 2));
    file = scratch('t.csv');
    h5_traces_export_csv(traces, file);
    check_equal(strsplit(strtrim(fileread(file)), sprintf('\r\n')), ...
                {'time_s,frame_index,ROI 1,ROI 2', '0.000000,0,0,1000', '0.020000,1,1,1001', '0.040000,2,2,1002'});
end

function csv_window_and_columns()
    traces = h5_traces_read(recording(100, 4));
    file = scratch('t.csv');
    h5_traces_export_csv(traces, file, 'Columns', [4 2], 'Window', [0.5 0.59]);
    lines = strsplit(strtrim(fileread(file)), sprintf('\r\n'));
    check_equal(lines(1:2), {'time_s,frame_index,ROI 4,ROI 2', '0.500000,25,3025,1025'});
    check_equal(numel(lines), 6);
    check_error(@() h5_traces_export_csv(traces, '/no/such/folder/t.csv'), {'cannot be written'});
end

function csv_quotes_and_nan()
    traces = h5_traces_read(recording(2, 2));
    traces.names = {'a,b', 'say "x"'};
    traces.means(2, 1) = NaN;
    traces.dff = traces.means / 2;
    file = scratch('t.csv');
    h5_traces_export_csv(traces, file);
    check_equal(strsplit(strtrim(fileread(file)), sprintf('\r\n')), ...
                {'time_s,frame_index,"a,b","say ""x""","a,b dF/F","say ""x"" dF/F"', ...
                 '0.000000,0,0,1000,0,500', '0.020000,1,nan,1001,nan,500.5'});
end

function thinning_keeps_extremes()
    time = (1:10007)';
    values = sin(time / 100);
    values([3 5000 10007]) = [5; -7; 9];
    [t, v] = h5_traces_thin(time, values, 1000);
    check_equal(numel(t) <= 1100, true);
    check_equal([min(v) max(v)], [-7 9]);
    check_equal(ismember([3 5000 10007], t'), [true true true]);
    check_equal(all(diff(t) > 0), true);
    [t, v] = h5_traces_thin(time(1:10), values(1:10), 1000);
    check_equal([t v], [time(1:10) values(1:10)]);
end

function roi_files()
    check_equal(roi_read_circles(written('xc,yc,r\n10,20,3\n1.5,2.5,4\n')), [11 21 3; 2.5 3.5 4]);
    check_equal(roi_read_circles(written('10,20,3\r\n# a remark\r\n\r\n5,6,7')), [11 21 3; 6 7 7]);
    check_equal(roi_read_circles(written('name,r,xc,yc\nsoma,3,10,20\n')), [11 21 3]);
    half = written('# resolution: 1280x720\nxc,yc,r,name\n10,20,4,a\n');
    check_equal(roi_read_circles(half, [640 180]), [6 6 1]);
    check_equal(roi_read_circles(half, [1280 720]), [11 21 4]);
    check_equal(roi_read_circles(half), [11 21 4]);
    check_error(@() roi_read_circles(written('a,b\n1,2\n')), {'xc, yc and r'});
    check_error(@() roi_read_circles(written('xc,yc,r\n1,two,3\n')), {'1,two,3'});
end

function file = written(text)
    file = scratch('rois.csv');
    id = fopen(file, 'w');
    fprintf(id, text);
    fclose(id);
end

function file = recording(rows, count)
    circles = [10 * (1:count)', 10 * ones(count, 1), 3 * ones(count, 1)];
    writer = H5TracesWriter(scratch('a.h5'), circles, 'Resolution', [128 72]);
    for k = 0:rows - 1
        writer.write(k / 50, k, k + 1000 * (0:count - 1));
    end
    writer.close('completed');
    file = writer.file;
end

function put(file, path, value)
    h5create(file, path, size(value), 'Datatype', class(value));
    h5write(file, path, value);
end
