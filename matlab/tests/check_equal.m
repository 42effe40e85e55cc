function check_equal(seen, expected, what)
    % CHECK_EQUAL(seen, expected, what)  Fails with both values unless they are equal in class, size and value (NaN ==
    % NaN).
    if nargin < 3
        what = 'value';
    end
    if ~strcmp(class(seen), class(expected)) || ~isequaln(seen, expected)
        error('roi:test', '%s is %s, expected %s', what, shown(seen), shown(expected));
    end
end

function text = shown(value)
    if ischar(value)
        text = ['''' value ''''];
    elseif (isnumeric(value) || islogical(value)) && numel(value) <= 40 && ndims(value) < 3
        text = [mat2str(value, 17) ' (' class(value) ')'];
    else
        text = ['a ' class(value) ' of size ' mat2str(size(value))];
    end
end
