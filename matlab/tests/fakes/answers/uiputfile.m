function [name, folder] = uiputfile(varargin)
    % [name, folder] = UIPUTFILE(...)  The answer of a user who takes chosen.csv in the folder ROI_STREAM_TEST_FOLDER.
    name = 'chosen.csv';
    folder = getenv('ROI_STREAM_TEST_FOLDER');
end
