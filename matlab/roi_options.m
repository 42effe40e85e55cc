function options = roi_options(defaults, given)
    % options = ROI_OPTIONS(defaults, given)  'Name', value pairs laid over a struct of defaults.
    %
    %   defaults  struct; its fields are the names that are allowed
    %   given     1 x 2n cell, usually varargin
    options = defaults;
    if mod(numel(given), 2) == 1
        error('roi:options', 'There are %d option arguments; options come as ''Name'', value pairs.', numel(given));
    end
    given = cellfun(@roi_char, given, 'UniformOutput', false);
    for k = 1:2:numel(given)
        if ~ischar(given{k}) || ~isfield(defaults, given{k})
            error('roi:options', 'Option %s is not known; allowed are %s.', shown(given{k}), names(defaults));
        end
        options.(given{k}) = given{k + 1};
    end
end

function text = shown(value)
    if ischar(value)
        text = ['''' value ''''];
    else
        text = ['of class ' class(value)];
    end
end

function text = names(defaults)
    fields = fieldnames(defaults);
    text = sprintf('%s, ', fields{:});
    text = text(1:end - 2);
end
