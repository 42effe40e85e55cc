classdef VideoReader < handle
    % MATLAB's VideoReader with ten colour frames of the bouncing disc, whatever the file.

    properties
        Height = 72
        Width = 128
        FrameRate = 50
        CurrentTime = 0
    end

    methods

        function self = VideoReader(file) %#ok<INUSD>
        end

        function answer = hasFrame(self)
            answer = round(self.CurrentTime * self.FrameRate) < 10;
        end

        function picture = readFrame(self)
            k = round(self.CurrentTime * self.FrameRate);
            picture = repmat(bouncing_disc(k, 'Shape', [self.Height self.Width], 'Radius', 6), [1 1 3]);
            self.CurrentTime = (k + 1) / self.FrameRate;
        end

    end
end
