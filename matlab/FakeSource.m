classdef FakeSource < handle
    % A camera that is none: the bouncing disc, with frames lost or a failure when asked. For tests and demonstrations.
    %
    %   source = FakeSource(300, 'Shape', [72 128], 'Radius', 6, 'Rate', 60, 'Lost', [10 11 40], 'FailAt', Inf)
    %
    % It is also the description of what roi_stream asks of any source:
    %   name, height, width    who it is; px
    %   rate                   frames per second, NaN when unknown
    %   loss_basis             how losses are known: 'camera' (its own count), 'file' (nothing is lost) or 'unknown'
    %   start()
    %   [picture, index, time] = read()    the next frame; its count; s on the source's clock. [] when none is ready yet
    %   over()                 true when no frame will come any more
    %   stop()                 from anywhere, any number of times

    properties (SetAccess = private)
        name = 'fake'
        height
        width
        rate
        loss_basis = 'camera'
        stopped = false
    end

    properties (Access = private)
        indices         % counts of the frames that are not lost
        position = 0
        fail_at
        radius
    end

    methods

        function self = FakeSource(frames, varargin)
            defaults = struct('Shape', [72 128], 'Radius', 6, 'Rate', 60, 'Lost', [], 'FailAt', Inf);
            options = roi_options(defaults, varargin);
            self.height = options.Shape(1);
            self.width = options.Shape(2);
            self.rate = options.Rate;
            self.radius = options.Radius;
            self.fail_at = options.FailAt;
            self.indices = setdiff(0:frames - 1, options.Lost);
        end

        function start(self)
            self.position = 0;
            self.stopped = false;
        end

        function [picture, index, time] = read(self)
            self.position = self.position + 1;
            index = self.indices(self.position);
            if index >= self.fail_at
                error('roi:source', 'The fake camera fails at frame %d, as asked.', index);
            end
            time = index / self.rate;
            picture = bouncing_disc(index, 'Shape', [self.height self.width], 'Radius', self.radius);
        end

        function answer = over(self)
            answer = self.stopped || self.position >= numel(self.indices);
        end

        function stop(self)
            self.stopped = true;
        end

    end
end
