function run = roi_stream(source, circles, file, varargin)
    % run = ROI_STREAM(source, circles, file, 'MaxFrames', n, 'OnFrame', f, 'UseTimer', tf, 'FramesPerChunk', 240)
    %
    % Records the mean of each ROI, frame by frame, into an HDF5 file (H5TracesWriter) and gives a RoiStreamRun.
    %
    %   source   CameraSource, VideoFileSource, FakeSource or anything with the same methods; or the path of a video
    %   circles  K x 3, rows [xc yc r] in px, 1-based; or the path of a ROI file (see roi_read_circles)
    %   file     the recording, .h5; an existing file is kept and the new name gets a number, see run.file
    %   OnFrame  called as f(run) after each frame; it may call stop_roi_stream(run)
    %
    % With a timer (MATLAB's default) the call returns at once and the recording goes on until the source ends,
    % MaxFrames is reached or stop_roi_stream is called. Without (GNU Octave, or UseTimer false) it returns when it is
    % finished.
    options = roi_options(struct('MaxFrames', Inf, 'OnFrame', [], 'UseTimer', ~isempty(which('timer')), ...
                                 'FramesPerChunk', 240), varargin);
    source = roi_char(source);
    circles = roi_char(circles);
    if ischar(source)
        source = VideoFileSource(source);
    end
    if ischar(circles)
        circles = roi_read_circles(circles, [source.width source.height]);
    end
    writer = H5TracesWriter(file, circles, 'Source', source.name, 'Resolution', [source.width source.height], ...
                            'FrameRate', source.rate, 'FramesPerChunk', options.FramesPerChunk, ...
                            'LossBasis', source.loss_basis);
    run = RoiStreamRun(source, circles, writer, options);
    run.start();
end
