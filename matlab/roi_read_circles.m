function circles = roi_read_circles(file, resolution)
    % circles = ROI_READ_CIRCLES(file, [W H])  The circles of a ROI file of roi_stream, in MATLAB's coordinates.
    %
    %   file     CSV with the columns xc, yc, r in px, counted from 0 (what 'roi_stream random-rois' writes)
    %   [W H]    px, the frames they are for; when the file says '# resolution: 1280x720' and that is another size, the
    %            circles are rescaled (r by the smaller factor). Without it they are taken as they are.
    %   circles  K x 3, rows [xc yc r] in px, counted from 1
    %
    % Without a header line the first three columns are taken. Other lines that start with # are left out.
    file = roi_char(file);
    text = fileread(file);
    text = text(find(text < 128, 1):end); % a byte order mark is one character or three, after the version of MATLAB
    lines = strtrim(regexp(text, '[\r\n]+', 'split'));
    lines = lines(~cellfun(@isempty, lines));
    remarks = strncmp(lines, '#', 1);
    scale = [1 1 1];
    if nargin > 1
        scale = scale_to(resolution, lines(remarks));
    end
    circles = numbers(lines(~remarks), file) .* scale + [1 1 0];
end

function scale = scale_to(resolution, remarks)
    scale = [1 1 1];
    for k = 1:numel(remarks)
        stated = regexp(lower(remarks{k}), '^#\s*resolution\s*:\s*(\d+)\s*x\s*(\d+)$', 'tokens', 'once');
        if ~isempty(stated)
            factors = resolution ./ reshape(str2double(stated), 1, 2);
            scale = [factors, min(factors)];
        end
    end
end

function values = numbers(lines, file)
    columns = 1:3;
    if ~isempty(lines) && isnan(str2double(strtok(lines{1}, ',')))
        columns = named_columns(lines{1}, file);
        lines = lines(2:end);
    end
    values = zeros(numel(lines), 3);
    for k = 1:numel(lines)
        cells = strtrim(regexp(lines{k}, ',', 'split'));
        cells(end + 1:max(columns)) = {''};
        values(k, :) = str2double(cells(columns));
        if any(isnan(values(k, :)))
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
