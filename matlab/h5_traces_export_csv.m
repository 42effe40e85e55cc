function h5_traces_export_csv(traces, file, varargin)
    % H5_TRACES_EXPORT_CSV(traces, file, 'Columns', [1 3], 'Window', [t0 t1])  Traces as a table any program opens.
    %
    %   traces   from h5_traces_read
    %   Columns  which ROIs, default all;  Window  s, which rows, default all
    %
    % The table is that of 'roi_stream export --to csv': time_s, frame_index, the mean of each ROI and, when recorded,
    % its dF/F. Not-a-number is written as nan.
    options = roi_options(struct('Columns', 1:size(traces.means, 2), 'Window', [-Inf Inf]), varargin);
    rows = find(traces.time >= options.Window(1) & traces.time <= options.Window(2));
    names = traces.names(options.Columns);
    header = [{'time_s', 'frame_index'}, names];
    values = double(traces.means(rows, options.Columns));
    if ~isempty(traces.dff)
        header = [header, strcat(names, {' dF/F'})];
        values = [values, double(traces.dff(rows, options.Columns))];
    end
    [id, why] = fopen(file, 'w', 'n', 'UTF-8');
    if id < 0
        error('roi:csv', 'The table %s cannot be written (%s); choose another folder or name.', file, why);
    end
    closing = onCleanup(@() fclose(id));
    fprintf(id, '%s\r\n', header_line(header));
    format = ['%.6f,%d' repmat(',%.8g', 1, size(values, 2)) '\r\n'];
    text = sprintf(format, [traces.time(rows), double(traces.frame_index(rows)), values].');
    fwrite(id, strrep(text, 'NaN', 'nan'), 'char');
end

function line = header_line(names)
    for k = 1:numel(names)
        if any(ismember(names{k}, sprintf(',"\r\n')))
            names{k} = ['"' strrep(names{k}, '"', '""') '"'];
        end
    end
    line = sprintf('%s,', names{:});
    line = line(1:end - 1);
end
