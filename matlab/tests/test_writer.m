function tests = test_writer()
    tests = {@rows_come_back, @attributes_of_the_contract, @unfinished_is_readable, @delete_closes, ...
             @existing_file_is_kept, @bad_rows_are_refused, @closing_twice_is_harmless, @unknown_losses, ...
             @no_row_at_all, @iso_time};
end

function rows_come_back()
    writer = filled_writer(500, 3);
    check_equal(writer.rows >= 480, true, 'two chunks are in the file');
    writer.close('completed');
    check_equal(writer.rows, 500);
    check_equal(h5read(writer.file, '/time'), (0:499)' / 60);
    check_equal(h5read(writer.file, '/frame_index'), int64(0:499)');
    check_equal(h5read(writer.file, '/roi/means'), single((0:499)' + [0 1000 2000]));
    check_equal(h5read(writer.file, '/roi/circles'), [10 10 3; 20 10 3; 30 10 3]);
end

function attributes_of_the_contract()
    writer = filled_writer(61, 2);
    writer.frames_dropped = 4;
    writer.close('completed');
    read = @(name) h5readatt(writer.file, '/', name);
    check_equal(read('format'), 'roi_stream');
    check_equal(read('resolution'), int32([128; 72]));
    check_equal(read('frames_seen'), uint64(61));
    check_equal(read('frames_dropped'), uint64(4));
    check_equal(read('rows'), uint64(61));
    check_equal(read('elapsed_sec'), 1);
    check_equal(read('avg_fps'), 60);
    check_equal(read('frame_rate'), 60);
    check_equal(read('finish_reason'), 'completed');
    check_equal(read('coord_origin'), '1-based, pixel centre, top left');
    check_equal(read('complete'), uint8(1));
end

function unfinished_is_readable()
    writer = filled_writer(10, 1);
    writer.flush();
    check_equal(h5readatt(writer.file, '/', 'complete'), uint8(0));
    check_equal(h5readatt(writer.file, '/', 'finish_reason'), 'recording');
    check_equal(h5readatt(writer.file, '/', 'rows'), uint64(10));
    check_equal(size(h5read(writer.file, '/roi/means')), [10 1]);
end

function delete_closes()
    writer = filled_writer(10, 1);
    file = writer.file;
    delete(writer);
    check_equal(h5readatt(file, '/', 'complete'), uint8(1));
    check_equal(h5readatt(file, '/', 'finish_reason'), 'stopped');
    check_equal(h5readatt(file, '/', 'rows'), uint64(10));
end

function existing_file_is_kept()
    file = scratch('a.h5');
    first = H5TracesWriter(file, [5 5 2]);
    second = H5TracesWriter(file, [5 5 2]);
    third = H5TracesWriter(file, [5 5 2]);
    check_equal(first.file, file);
    check_equal(second.file, strrep(file, 'a.h5', 'a_2.h5'));
    check_equal(third.file, strrep(file, 'a.h5', 'a_3.h5'));
end

function bad_rows_are_refused()
    writer = filled_writer(3, 2);
    check_error(@() writer.write(1, 3, [1 2 3]), {'3 means', '2 ROIs'});
    check_error(@() writer.write(2 / 60, 3, [1 2]), {'does not follow', 'rise'});
    check_error(@() writer.write(NaN, 3, [1 2]), {'does not follow'});
    writer.close('completed');
    check_error(@() writer.write(1, 3, [1 2]), {'closed'});
    check_error(@() H5TracesWriter(scratch('a.h5'), []), {'no circles'});
    check_error(@() H5TracesWriter(scratch('a.h5'), [1 1 1], 'Colour', 1), {'Colour', 'Source'});
end

function closing_twice_is_harmless()
    writer = filled_writer(3, 2);
    writer.close('completed');
    writer.close('failed: too late');
    check_equal(h5readatt(writer.file, '/', 'finish_reason'), 'completed');
end

function unknown_losses()
    writer = filled_writer(3, 2);
    writer.close('completed');
    check_equal(h5readatt(writer.file, '/', 'frames_dropped'), intmax('uint64'));
end

function no_row_at_all()
    writer = H5TracesWriter(scratch('a.h5'), [5 5 2]);
    writer.close('stopped');
    check_equal(size(h5read(writer.file, '/time')), [0 1]);
    check_equal(h5readatt(writer.file, '/', 'avg_fps'), 0);
end

function iso_time()
    pattern = '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$';
    check_equal(isempty(regexp(iso8601_now(), pattern, 'once')), false, 'matches ISO 8601');
end

function writer = filled_writer(rows, count)
    circles = [10 * (1:count)', 10 * ones(count, 1), 3 * ones(count, 1)];
    writer = H5TracesWriter(scratch('a.h5'), circles, 'Source', 'test', 'Resolution', [128 72], 'FrameRate', 60);
    for k = 0:rows - 1
        writer.write(k / 60, k, k + 1000 * (0:count - 1));
    end
end
