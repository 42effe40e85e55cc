classdef VideoWriter < handle
    % MATLAB's VideoWriter; it keeps what it was given in a text file, one line a frame: largest value, sum of the
    % picture.

    properties
        FrameRate = 30
        Quality = 75
    end

    properties (Access = private)
        path
        id = -1
    end

    methods

        function self = VideoWriter(path, profile) %#ok<INUSD>
            self.path = path;
        end

        function open(self)
            self.id = fopen(self.path, 'w');
        end

        function writeVideo(self, picture) %#ok<*MANU>
            fprintf(self.id, '%d %d %d\n', self.FrameRate, max(picture(:)), sum(double(picture(:))));
        end

        function close(self)
            fclose(self.id);
        end

    end
end
