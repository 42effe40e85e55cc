function value = roi_char(value)
    % value = ROI_CHAR(value)  A double-quoted "text" of MATLAB as char; whatever else is given stays as it is.
    if isstring(value)
        value = char(value);
    end
end
