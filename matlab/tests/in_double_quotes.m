function value = in_double_quotes(text)
    % value = IN_DOUBLE_QUOTES(text)  What MATLAB makes of "text": a string; in GNU Octave its stand-in.
    if exist('OCTAVE_VERSION', 'builtin')
        value = DoubleQuoted(text);
    else
        value = string(text);
    end
end
