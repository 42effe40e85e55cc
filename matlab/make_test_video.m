function file = make_test_video(file, frames)
    % file = MAKE_TEST_VIDEO(file, frames)  Writes the disc of bouncing_disc.m as a 60 fps MPEG-4 video (MATLAB only).
    %
    % Without arguments: test_circle_1280x720_60fps.mp4 in the current folder, 900 frames, 15 s. The committed file of
    % that name was encoded by make_test_video.py, because GNU Octave has no VideoWriter; the motion and the drawing are
    % the same.
    if nargin < 1
        file = 'test_circle_1280x720_60fps.mp4';
    end
    if nargin < 2
        frames = 900;
    end
    if ~exist('VideoWriter', 'file') && ~exist('VideoWriter', 'class')
        error('roi:video', ['There is no VideoWriter here; it comes with MATLAB. ' ...
                            'Run make_test_video.py instead, or use the committed video.']);
    end
    video = VideoWriter(file, 'MPEG-4');
    video.FrameRate = 60;
    video.Quality = 95;
    open(video);
    closing = onCleanup(@() close(video));
    for k = 0:frames - 1
        writeVideo(video, bouncing_disc(k));
    end
end
