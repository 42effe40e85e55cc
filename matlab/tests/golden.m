function values = golden(name)
    % values = GOLDEN(name)  A file of golden vectors, decoded; skips the test when the vectors are not on this machine.
    %
    % They are looked for in the folder ROI_STREAM_GOLDEN, otherwise in shared/golden beside the repository.
    folder = getenv('ROI_STREAM_GOLDEN');
    if isempty(folder)
        repository = fileparts(fileparts(fileparts(mfilename('fullpath'))));
        folder = fullfile(fileparts(repository), 'shared', 'golden');
    end
    file = fullfile(folder, name);
    if ~exist(file, 'file')
        error('roi:skip', 'no golden vectors at %s', file);
    end
    values = jsondecode(fileread(file));
end
