function leave = needs_display()
    % leave = NEEDS_DISPLAY()  Puts a user who answers dialogs on the path until 'leave' is cleared; or skips the test.
    %
    % Windows are tested where one can be drawn: MATLAB, or Octave with a display, its Qt toolkit and a font.
    if exist('OCTAVE_VERSION', 'builtin')
        try
            graphics_toolkit('qt');
            fig = figure();
            axes('Parent', fig);
            close(fig);
        catch problem
            error('roi:skip', 'Octave can draw no window here: %s', problem.message);
        end
    end
    folder = fullfile(fileparts(mfilename('fullpath')), 'fakes', 'answers');
    loud = warning('off', 'Octave:shadowed-function');
    addpath(folder);
    warning(loud);
    setenv('ROI_STREAM_TEST_FOLDER', fileparts(scratch('x')));
    leave = onCleanup(@() rmpath(folder));
end
