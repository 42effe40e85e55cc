function press(control, what)
    % PRESS(control, what)  What a user's click on this control calls; 'what' is the property, default Callback.
    if nargin < 2
        what = 'Callback';
    end
    action = get(control, what);
    action(control, []);
end
