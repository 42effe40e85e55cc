classdef videoinput < handle
    % A camera of the Image Acquisition Toolbox: 1 frame is ready at every second look, number 4 is lost, it ends after
    % 8.

    properties
        VideoResolution = [128 72]
        FramesPerTrigger = 10
    end

    properties (Dependent)
        FramesAvailable
    end

    properties (Access = private)
        looks = 0
        numbers = [1 2 3 5 6 7 8]
        on = false
    end

    methods

        function self = videoinput(adaptor, id, format) %#ok<INUSD>
        end

        function count = get.FramesAvailable(self)
            self.looks = self.looks + 1;
            count = double(self.on && mod(self.looks, 2) == 0 && ~isempty(self.numbers));
        end

        function start(self)
            self.on = true;
        end

        function stop(self)
            self.on = false;
        end

        function answer = isrunning(self)
            answer = self.on && ~isempty(self.numbers);
        end

        function [picture, time, about] = getdata(self, count) %#ok<INUSD>
            number = self.numbers(1);
            self.numbers(1) = [];
            picture = bouncing_disc(number, 'Shape', [72 128], 'Radius', 6);
            time = 0.5 + number / 30;
            about = struct('FrameNumber', number);
        end

        function source = getselectedsource(self)
            source = struct('FrameRate', '30.0000');
        end

    end
end
