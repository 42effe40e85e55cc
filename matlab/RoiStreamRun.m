classdef RoiStreamRun < handle
    % One recording in progress: frames from a source, ROI means, rows in a file. Made by roi_stream.
    %
    %   run.state             'running', then 'completed', 'stopped' or 'failed'
    %   run.detail            a sentence when there is something to explain
    %   run.picture           H x W uint16, the last frame
    %   run.time, run.means   s since the first frame; 1 x K single of the last frame
    %   run.frames_seen, run.frames_dropped    counted from gaps in the source's index; NaN when that tells nothing
    %   run.file              where the recording goes

    properties (SetAccess = private)
        state = 'running'
        detail = ''
        circles
        picture = []
        time = NaN
        means = []
        frames_seen = 0
        frames_dropped = 0
    end

    properties (Dependent)
        file
    end

    properties (Access = private)
        source
        writer
        indices
        options
        clock_timer = []
        first_time
        last_index
    end

    methods

        function self = RoiStreamRun(source, circles, writer, options)
            self.source = source;
            self.circles = circles;
            self.indices = roi_build_circle_indices(circles, [source.height source.width]);
            self.writer = writer;
            self.options = options;
            if strcmp(source.loss_basis, 'unknown')
                self.frames_dropped = NaN;
            end
        end

        function file = get.file(self)
            file = self.writer.file;
        end

        function answer = running(self)
            answer = strcmp(self.state, 'running');
        end

        function start(self)
            try
                self.source.start();
            catch problem
                self.finish('failed', problem.message);
                return
            end
            if self.options.UseTimer
                self.start_timer();
            else
                self.loop();
            end
        end

        function loop(self)
            % Runs to the end in the caller; Ctrl+C still leaves a finished file.
            guard = onCleanup(@() self.finish('stopped'));
            while self.running()
                if self.step() == 0
                    pause(0.002);
                end
            end
        end

        function start_timer(self)
            % Runs behind the command line; MATLAB only. UserData and Tag let stop_roi_stream find it.
            self.clock_timer = timer('ExecutionMode', 'fixedSpacing', 'Period', 0.01, 'BusyMode', 'drop', ...
                                     'Tag', 'roi_stream', 'UserData', self, 'TimerFcn', @(varargin) self.step());
            start(self.clock_timer);
        end

        function taken = step(self)
            % Takes the frames that wait, at most for 0.1 s, so that windows stay alive. Gives the number of frames.
            taken = 0;
            started = tic();
            try
                while self.running() && toc(started) < 0.1
                    if self.source.over() || self.frames_seen >= self.options.MaxFrames
                        self.finish('completed');
                        return
                    end
                    if ~self.take_one()
                        return
                    end
                    taken = taken + 1;
                end
            catch problem
                self.finish('failed', problem.message);
            end
        end

        function finish(self, reason, detail)
            % Stops the source, closes the file, ends the timer; the first reason counts.
            if ~self.running() || isempty(self.writer)
                return
            end
            self.state = reason;
            if nargin > 2
                self.detail = detail;
            end
            guarded(@() self.source.stop());
            self.close_file();
            if ~isempty(self.clock_timer)
                guarded(@() stop(self.clock_timer));
                guarded(@() delete(self.clock_timer));
            end
            if strcmp(self.state, 'failed')
                warning('roi:stream', 'The stream failed: %s The rows up to %d are safe in %s.', ...
                        self.detail, self.writer.rows, self.file);
            end
        end

        function delete(self)
            self.finish('stopped');
        end

    end

    methods (Access = private)

        function taken = take_one(self)
            [frame, index, time] = self.source.read();
            taken = ~isempty(frame);
            if ~taken
                return
            end
            self.picture = to_uint16_gray(frame);
            self.check_size();
            self.place(index, time);
            self.means = roi_compute_means(self.picture, self.indices);
            self.writer.frames_seen = self.frames_seen;
            self.writer.frames_dropped = self.frames_dropped;
            self.writer.write(self.time, index, self.means);
            self.tell();
        end

        function check_size(self)
            expected = [self.source.height self.source.width];
            if ~isequal(size(self.picture), expected)
                error('roi:stream', 'A frame is %d x %d px, but the source announced %d x %d. Restart the source.', ...
                      size(self.picture), expected);
            end
        end

        function place(self, index, time)
            % Time since the first frame and the losses before this frame.
            if self.frames_seen == 0
                self.first_time = time;
                self.last_index = index - 1;
                self.time = -Inf;
            end
            self.frames_dropped = self.frames_dropped + max(0, index - self.last_index - 1);
            % Two frames with one time stamp are kept apart by a microsecond: /time must rise strictly.
            self.time = max(time - self.first_time, self.time + 1e-6);
            self.last_index = index;
            self.frames_seen = self.frames_seen + 1;
        end

        function tell(self)
            % A window that fails must not end the recording: it is told no more.
            if isempty(self.options.OnFrame)
                return
            end
            try
                self.options.OnFrame(self);
            catch problem
                self.options.OnFrame = [];
                warning('roi:stream', 'OnFrame failed and is switched off; the recording goes on: %s', problem.message);
            end
        end

        function close_file(self)
            reason = self.state;
            if ~isempty(self.detail)
                reason = [reason ': ' self.detail];
            end
            try
                self.writer.close(reason);
            catch problem
                self.state = 'failed';
                self.detail = strtrim([self.detail ' ' problem.message]);
            end
        end

    end
end

function guarded(action)
    % Whatever cannot be ended properly must not keep the rest from being ended.
    try
        action();
    catch problem
        warning('roi:stream', 'While ending the stream: %s', problem.message);
    end
end
