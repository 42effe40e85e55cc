classdef videoinput < handle
    % A camera of the Image Acquisition Toolbox: 1 frame is ready at every second look, number 4 is lost, it ends after
    % 8. Gray formats give gray, RGB formats RGB, YUY2 YCbCr, unless ReturnedColorSpace is set to something else.

    properties
        VideoResolution = [128 72]
        FramesPerTrigger = 10
        ReturnedColorSpace = 'rgb'
    end

    properties (SetAccess = private)
        deleted = false
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

        function self = videoinput(adaptor, id, format) %#ok<INUSL>
            if strncmp(format, 'MONO', 4)
                self.ReturnedColorSpace = 'grayscale';
            elseif strncmp(format, 'YUY2', 4)
                self.ReturnedColorSpace = 'YCbCr';
            end
        end

        function answer = isvalid(self)
            answer = ~self.deleted;
        end

        function delete(self)
            self.deleted = true;
        end

        function count = get.FramesAvailable(self)
            self.looks = self.looks + 1;
            count = double(self.on && mod(self.looks, 2) == 0 && ~isempty(self.numbers));
        end

        function start(self)
            self.on = true;
        end

        function stop(self)
            if self.deleted
                error('imaq:fake', 'This videoinput is no longer valid.');
            end
            self.on = false;
        end

        function answer = isrunning(self)
            answer = self.on && ~isempty(self.numbers);
        end

        function [picture, time, about] = getdata(self, count) %#ok<INUSD>
            number = self.numbers(1);
            self.numbers(1) = [];
            picture = in_space(bouncing_disc(number, 'Shape', [72 128], 'Radius', 6), self.ReturnedColorSpace);
            time = 0.5 + number / 30;
            about = struct('FrameNumber', number);
        end

        function source = getselectedsource(self)
            source = struct('FrameRate', '30.0000');
        end

    end
end

function picture = in_space(gray, space)
    picture = gray;
    if strcmp(space, 'rgb')
        picture = repmat(gray, [1 1 3]);
    elseif strcmp(space, 'YCbCr')
        picture = cat(3, uint8(16 + double(gray) * 219 / 255), repmat(uint8(128), [size(gray) 2]));
    end
end
