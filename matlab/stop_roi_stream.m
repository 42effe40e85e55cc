function stop_roi_stream(run)
    % STOP_ROI_STREAM(run)  Ends a recording made by roi_stream: last rows, closing attributes, camera off.
    %
    % Without an argument every recording that runs behind the command line is ended. A recording that has ended already
    % stays as it is.
    if nargin > 0
        run.finish('stopped');
        return
    end
    if isempty(which('timerfindall'))
        error('roi:stream', 'Without timers nothing runs behind the command line; call stop_roi_stream(run) instead.');
    end
    clocks = timerfindall('Tag', 'roi_stream');
    for k = 1:numel(clocks)
        stop_roi_stream(get(clocks(k), 'UserData'));
    end
end
