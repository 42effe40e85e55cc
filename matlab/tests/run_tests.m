function failed = run_tests(only)
    % failed = RUN_TESTS(only)  Runs every test_*.m beside this file and prints 'N passed, M failed'.
    %
    % Each test_*.m returns a cell of function handles; a test passes when it returns without an error. An error with
    % the identifier roi:skip counts as skipped, with its sentence printed. 'only' is a part of a file's name, to run
    % fewer. When called without an output, the process ends with exit code 1 if anything failed (for
    % run_octave_tests.sh).
    here = fileparts(mfilename('fullpath'));
    addpath(here, fileparts(here));
    files = dir(fullfile(here, 'test_*.m'));
    counts = [0 0 0];
    for k = 1:numel(files)
        [~, name] = fileparts(files(k).name);
        if nargin < 1 || isempty(only) || ~isempty(strfind(name, only)) %#ok<STREMP>
            counts = counts + run_file(name);
        end
    end
    fprintf('%d passed, %d failed, %d skipped\n', counts);
    failed = counts(2);
    if nargout == 0
        exit(double(failed > 0));
    end
end

function counts = run_file(name)
    counts = [0 0 0];
    tests = feval(name);
    for k = 1:numel(tests)
        outcome = run_one(name, tests{k});
        counts(outcome) = counts(outcome) + 1;
    end
end

function outcome = run_one(name, test)
    outcome = 1;
    try
        test();
    catch problem
        label = [name ' > ' func2str(test)];
        outcome = 2 + strcmp(problem.identifier, 'roi:skip');
        if outcome == 3
            fprintf('skipped %s: %s\n', label, problem.message);
        else
            fprintf('FAILED %s: %s%s\n', label, problem.message, place(problem));
        end
    end
end

function text = place(problem)
    text = '';
    for k = 1:numel(problem.stack)
        text = [text sprintf('\n    at %s line %d', problem.stack(k).name, problem.stack(k).line)]; %#ok<AGROW>
    end
end
