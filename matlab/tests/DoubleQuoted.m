classdef DoubleQuoted
    % MATLAB's string, for GNU Octave, where "text" is char. It can only be recognised and converted, so that a place
    % that forgets to convert it fails.

    properties (Access = private)
        text
    end

    methods

        function self = DoubleQuoted(text)
            self.text = text;
        end

        function answer = isstring(self) %#ok<MANU>
            answer = true;
        end

        function answer = ischar(self) %#ok<MANU>
            answer = false;
        end

        function text = char(self)
            text = self.text;
        end

    end
end
