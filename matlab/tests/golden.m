function values = golden(name)
    % values = GOLDEN(name)  A file of golden vectors, decoded; skips the test when the vectors are not on this machine.
    %
    % They are looked for in the folder 'golden' under ROI_STREAM_SHARED, or under 'shared' beside the repository.
    shared = getenv('ROI_STREAM_SHARED');
    if isempty(shared)
        repository = fileparts(fileparts(fileparts(mfilename('fullpath'))));
        shared = fullfile(fileparts(repository), 'shared');
    end
    file = fullfile(shared, 'golden', name);
    if ~exist(file, 'file')
        error('roi:skip', 'no golden vectors at %s', file);
    end
    values = jsondecode(fileread(file));
end
