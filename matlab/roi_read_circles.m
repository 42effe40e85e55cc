function circles = roi_read_circles(file)
    % circles = ROI_READ_CIRCLES(file)  The circles of a ROI file of roi_stream, in MATLAB's coordinates.
    %
    %   file     CSV with the columns xc, yc, r in px, counted from 0 (what 'roi_stream random-rois' writes)
    %   circles  K x 3, rows [xc yc r] in px, counted from 1
    %
    % Without a header line the first three columns are taken. Lines that start with # are left out.
    text = fileread(file);
    lines = strtrim(regexp(text, '[\r\n]+', 'split'));
    lines = lines(~cellfun(@isempty, lines) & ~strncmp(lines, '#', 1));
    columns = 1:3;
    if ~isempty(lines) && isnan(str2double(strtok(lines{1}, ',')))
        columns = named_columns(lines{1}, file);
        lines = lines(2:end);
    end
    circles = zeros(numel(lines), 3);
    for k = 1:numel(lines)
        cells = strtrim(regexp(lines{k}, ',', 'split'));
        cells(end + 1:max(columns)) = {''};
        circles(k, :) = str2double(cells(columns)) + [1 1 0];
        if any(isnan(circles(k, :)))
            error('roi:file', '%s: "%s" does not hold the three numbers xc, yc, r. Correct or remove this line.', ...
                  file, lines{k});
        end
    end
end

function columns = named_columns(line, file)
    names = strtrim(regexp(lower(line), ',', 'split'));
    [found, columns] = ismember({'xc', 'yc', 'r'}, names);
    if ~all(found)
        error('roi:file', '%s starts with "%s"; the columns xc, yc and r are needed. Name them in the first line.', ...
              file, line);
    end
end
