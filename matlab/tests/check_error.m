function check_error(action, words)
    % CHECK_ERROR(action, words)  Fails unless action() raises an error whose sentence holds every one of the words.
    message = '';
    try
        action();
    catch problem
        message = problem.message;
    end
    if isempty(message)
        error('roi:test', '%s raised no error', func2str(action));
    end
    for k = 1:numel(words)
        if isempty(strfind(message, words{k})) %#ok<STREMP>
            error('roi:test', 'the error "%s" does not mention "%s"', message, words{k});
        end
    end
end
