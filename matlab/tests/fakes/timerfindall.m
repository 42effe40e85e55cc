function found = timerfindall(varargin)
    % found = TIMERFINDALL('Tag', 'roi_stream')  The first of the fake timers; MATLAB gives an array of all.
    found = [];
    list = timers_in_test('list');
    if ~isempty(list)
        found = list{1};
    end
end
