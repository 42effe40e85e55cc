function text = iso8601_now()
    % text = ISO8601_NOW()  Local date and time with milliseconds and numeric offset: 2026-01-31T14:05:06.789+01:00.
    parts = clock();
    milliseconds = floor(1000 * parts(6));
    text = sprintf('%04d-%02d-%02dT%02d:%02d:%02d.%03d%s', parts(1:5), floor(milliseconds / 1000), ...
                   mod(milliseconds, 1000), offset());
end

function text = offset()
    if exist('OCTAVE_VERSION', 'builtin')
        digits = strftime('%z', localtime(time()));
        text = [digits(1:3) ':' digits(4:5)];
    elseif usejava('jvm')
        minutes = -javaMethod('getTimezoneOffset', javaObject('java.util.Date'));
        signs = '-+';
        text = sprintf('%s%02d:%02d', signs(1 + (minutes >= 0)), floor(abs(minutes) / 60), mod(abs(minutes), 60));
    else
        text = char(datetime('now', 'TimeZone', 'local', 'Format', 'xxx')); % MATLAB without Java only
    end
end
