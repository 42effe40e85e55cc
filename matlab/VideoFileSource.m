classdef VideoFileSource < handle
    % The frames of a video file, through MATLAB's VideoReader; the methods are described in FakeSource.m.
    %
    %   source = VideoFileSource('test_circle_1280x720_60fps.mp4')
    %
    % Time is the file's own time; a file is read as fast as possible and loses nothing.

    properties (SetAccess = private)
        name
        height
        width
        rate
        loss_basis = 'file'
    end

    properties (Access = private)
        reader
        index = 0
        stopped = false
    end

    methods

        function self = VideoFileSource(file)
            file = roi_char(file);
            if ~exist(file, 'file')
                error('roi:source', 'Video %s does not exist; give the path of a file VideoReader can open.', file);
            end
            if ~exist('VideoReader', 'file') && ~exist('VideoReader', 'class')
                error('roi:source', ['There is no VideoReader here; it comes with MATLAB. ' ...
                                     'Use FakeSource, or the Python program for this video.']);
            end
            self.name = file;
            self.reader = VideoReader(file);
            self.height = self.reader.Height;
            self.width = self.reader.Width;
            self.rate = self.reader.FrameRate;
        end

        function start(self)
            self.reader.CurrentTime = 0;
            self.index = 0;
            self.stopped = false;
        end

        function [picture, index, time] = read(self)
            time = self.reader.CurrentTime;
            picture = readFrame(self.reader);
            index = self.index;
            self.index = index + 1;
        end

        function answer = over(self)
            answer = self.stopped || ~hasFrame(self.reader);
        end

        function stop(self)
            self.stopped = true;
        end

    end
end
