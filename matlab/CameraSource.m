classdef CameraSource < handle
    % A camera of MATLAB's Image Acquisition Toolbox (what imaqtool shows); the methods are described in FakeSource.m.
    %
    %   source = CameraSource('winvideo', 1, 'MJPG_1280x720')
    %
    % The arguments are those of videoinput. Lost frames are seen as gaps in the toolbox's FrameNumber; an adaptor that
    % does not count what the camera lost cannot show them. Colour comes as RGB, also where the format would give YCbCr
    % (YUY2 does). Deleting the object sets the camera free.

    properties (SetAccess = private)
        name
        height
        width
        rate = NaN
        loss_basis = 'camera'
        input           % the videoinput object, for exposure and other settings
    end

    methods

        function self = CameraSource(adaptor, id, format)
            if ~exist('videoinput', 'file')
                error('roi:source', ['There is no videoinput here; it comes with the Image Acquisition Toolbox. ' ...
                                     'Use VideoFileSource or FakeSource.']);
            end
            if nargin < 3
                self.input = videoinput(adaptor, id);
            else
                self.input = videoinput(adaptor, id, format);
            end
            self.avoid_ycbcr();
            size_px = self.input.VideoResolution;
            self.width = size_px(1);
            self.height = size_px(2);
            self.name = sprintf('%s %d', adaptor, id);
            self.rate = asked_rate(self.input);
        end

        function start(self)
            self.input.FramesPerTrigger = Inf;
            start(self.input);
        end

        function [picture, index, time] = read(self)
            picture = [];
            index = NaN;
            time = NaN;
            if self.input.FramesAvailable > 0
                [picture, time, about] = getdata(self.input, 1);
                index = about(1).FrameNumber;
            elseif ~isrunning(self.input)
                error('roi:source', 'Camera %s stopped by itself; check the cable and start again.', self.name);
            end
        end

        function answer = over(self) %#ok<MANU>
            answer = false;
        end

        function stop(self)
            if isrunning(self.input)
                stop(self.input);
            end
        end

        function delete(self)
            % The toolbox keeps a videoinput, and its hold on the camera, until it is deleted. imaqreset may have been
            % quicker.
            if ~isempty(self.input) && isvalid(self.input)
                stop(self.input);
                delete(self.input);
            end
        end

    end

    methods (Access = private)

        function avoid_ycbcr(self)
            % to_uint16_gray cannot see that three channels are not R, G, B; the means would be wrong without a word.
            if ~any(strcmpi(self.input.ReturnedColorSpace, {'grayscale', 'rgb', 'bayer'})) % bayer is given as R, G, B
                self.input.ReturnedColorSpace = 'rgb';
            end
        end

    end
end

function rate = asked_rate(input)
    % Many adaptors have FrameRate, as a number or as text; some have none.
    rate = NaN;
    try
        selected = getselectedsource(input);
        value = selected.FrameRate;
        if ischar(value)
            value = str2double(value);
        end
        rate = double(value);
    catch
        return
    end
end
