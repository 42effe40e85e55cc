function [x, y] = ginput(n) %#ok<INUSD>
    % [x, y] = GINPUT(2)  The answer of a user who clicks a centre at (40, 30) and an edge 5 px away.
    x = [40; 43];
    y = [30; 34];
end
