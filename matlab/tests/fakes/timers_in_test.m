function list = timers_in_test(verb, one)
    % list = TIMERS_IN_TEST(verb, one)  The fake timers that exist: 'add' one, 'remove' one, or 'list' all in a cell.
    persistent kept
    if isempty(kept)
        kept = {};
    end
    if strcmp(verb, 'add')
        kept{end + 1} = one;
    elseif strcmp(verb, 'remove')
        kept = kept(~cellfun(@(other) other.serial == one.serial, kept));
    end
    list = kept;
end
