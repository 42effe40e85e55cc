classdef H5TracesWriter < handle
    % A recording of ROI traces in an HDF5 file, in MATLAB's orientation, appended while frames come.
    %
    %   writer = H5TracesWriter(file, circles, 'Source', 'camera 1', 'Resolution', [1280 720], 'FrameRate', 60)
    %   writer.write(time, index, means)      one frame: s since the first frame, the camera's count, 1 x K values
    %   writer.flush()                        everything given so far is in the file
    %   writer.close('completed')             the last rows, the closing attributes, at the very end complete = 1
    %
    %   circles  K x 3, rows [xc yc r] in px, 1-based as everywhere in MATLAB
    %
    % Datasets, in MATLAB's sizes:  /time rows x 1 double, /frame_index rows int64, /roi/means rows x K single,
    % /roi/circles K x 3 double. (h5py sees them transposed; coord_origin and orientation in the root say so.)
    %
    % Rows are written in chunks of FramesPerChunk, but at least once a second. A file with complete = 0 was not closed;
    % its rows are good up to the last flush. An existing file is never overwritten: the name gets a number, see .file.
    % Deleting the object closes the file.

    properties
        frames_seen = NaN       % frames the source gave; NaN: as many as rows
        frames_dropped = NaN    % frames lost on the way; NaN: nobody knows
    end

    properties (SetAccess = private)
        file            % where the recording really goes
        rows = 0        % rows in the file; the buffer is not counted
        is_open = false
    end

    properties (Access = private)
        chunk
        times           % chunk x 1 double, s
        frames          % chunk x 1 int64
        means           % chunk x K single
        filled = 0      % rows in the buffer
        last_time = -Inf
        flushed         % tic of the last flush
    end

    methods

        function self = H5TracesWriter(file, circles, varargin)
            options = roi_options(struct('Source', 'unknown', 'Resolution', [0 0], 'FrameRate', NaN, ...
                                         'FramesPerChunk', 240, 'LossBasis', 'unknown'), varargin);
            roi_build_circle_indices(circles, [1 1]); % refuses circles that are none
            if isempty(circles)
                error('roi:writer', 'There are no circles; a recording needs 1 or more. Draw or load ROIs first.');
            end
            self.file = free_name(roi_char(file));
            self.chunk = options.FramesPerChunk;
            self.times = zeros(self.chunk, 1);
            self.frames = zeros(self.chunk, 1, 'int64');
            self.means = zeros(self.chunk, size(circles, 1), 'single');
            create_datasets(self.file, circles, self.chunk);
            write_header(self.file, options);
            self.flushed = tic();
            self.is_open = true;
        end

        function write(self, time, index, means)
            self.check_row(time, means);
            if isinf(self.last_time)
                h5writeatt(self.file, '/', 'start_iso8601', iso8601_now());
            end
            self.last_time = time;
            self.filled = self.filled + 1;
            self.times(self.filled) = time;
            self.frames(self.filled) = index;
            self.means(self.filled, :) = means;
            if self.filled == self.chunk || toc(self.flushed) >= 1
                self.flush();
            end
        end

        function flush(self)
            n = self.filled;
            if n > 0
                first = self.rows + 1;
                h5write(self.file, '/roi/means', self.means(1:n, :), [first 1], [n size(self.means, 2)]);
                h5write(self.file, '/frame_index', self.frames(1:n), first, n);
                h5write(self.file, '/time', self.times(1:n), [first 1], [n 1]);
                self.rows = self.rows + n;
                self.filled = 0;
                self.write_counts();
            end
            self.flushed = tic();
        end

        function close(self, reason)
            % reason: 'completed', 'stopped' or 'failed: why'. The second time nothing happens.
            if ~self.is_open
                return
            end
            self.is_open = false;
            self.flush();
            self.write_counts();
            h5writeatt(self.file, '/', 'finish_reason', reason);
            h5writeatt(self.file, '/', 'complete', uint8(1));
        end

        function delete(self)
            self.close('stopped');
        end

    end

    methods (Access = private)

        function write_counts(self)
            elapsed = max(self.last_time, 0);
            seen = self.rows;
            if ~isnan(self.frames_seen)
                seen = self.frames_seen;
            end
            put_counts(self.file, [seen self.frames_dropped self.rows], elapsed);
        end

        function check_row(self, time, means)
            if ~self.is_open
                error('roi:writer', 'Recording %s is closed; no row can follow. Make a new H5TracesWriter.', self.file);
            end
            if numel(means) ~= size(self.means, 2)
                error('roi:writer', '%d means were given; this recording has %d ROIs, so %d are needed.', ...
                      numel(means), size(self.means, 2), size(self.means, 2));
            end
            if ~(isfinite(time) && time > self.last_time)
                error('roi:writer', 'Time %.6f s does not follow %.6f s; times must rise from row to row.', ...
                      time, self.last_time);
            end
        end

    end
end

function name = free_name(wanted)
    [folder, stem, extension] = fileparts(wanted);
    name = wanted;
    number = 1;
    while exist(name, 'file')
        number = number + 1;
        name = fullfile(folder, sprintf('%s_%d%s', stem, number, extension));
    end
end

function create_datasets(file, circles, chunk)
    count = size(circles, 1);
    h5create(file, '/time', [Inf 1], 'Datatype', 'double', 'ChunkSize', [chunk 1]);
    h5create(file, '/frame_index', Inf, 'Datatype', 'int64', 'ChunkSize', chunk);
    h5create(file, '/roi/means', [Inf count], 'Datatype', 'single', 'ChunkSize', [chunk count]);
    h5create(file, '/roi/circles', [count 3], 'Datatype', 'double');
    h5write(file, '/roi/circles', double(circles));
end

function write_header(file, options)
    h5writeatt(file, '/', 'format', 'roi_stream');
    h5writeatt(file, '/', 'format_version', int32(1));
    h5writeatt(file, '/', 'created_with', 'roi_stream matlab H5TracesWriter');
    h5writeatt(file, '/', 'source', options.Source);
    h5writeatt(file, '/', 'resolution', int32(options.Resolution(:))');
    h5writeatt(file, '/', 'frame_rate', double(options.FrameRate));
    h5writeatt(file, '/', 'start_iso8601', iso8601_now());
    h5writeatt(file, '/', 'loss_basis', options.LossBasis);
    h5writeatt(file, '/', 'coord_origin', '1-based, pixel centre, top left');
    h5writeatt(file, '/', 'orientation', 'matlab');
    put_counts(file, [0 NaN 0], 0);
    h5writeatt(file, '/', 'finish_reason', 'recording');
    h5writeatt(file, '/', 'complete', uint8(0));
end

function put_counts(file, counts, elapsed)
    % counts: frames seen, frames dropped, rows. elapsed: s from the first row to the last.
    rate = 0;
    if elapsed > 0
        rate = (counts(3) - 1) / elapsed;
    end
    h5writeatt(file, '/', 'end_iso8601', iso8601_now());
    h5writeatt(file, '/', 'frames_seen', count_or_unknown(counts(1)));
    h5writeatt(file, '/', 'frames_dropped', count_or_unknown(counts(2)));
    h5writeatt(file, '/', 'rows', uint64(counts(3)));
    h5writeatt(file, '/', 'elapsed_sec', elapsed);
    h5writeatt(file, '/', 'avg_fps', rate);
end

function count = count_or_unknown(number)
    % A number that nobody knows is stored as the largest uint64, never as 0.
    if isnan(number)
        count = intmax('uint64');
    else
        count = uint64(number);
    end
end
